import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { VideoRequest } from './types.ts'

/**
 * One event stream for all tabs: the tab that holds the lock reads it and tells the others.
 * Events only say what changed; each tab asks again for what it shows.
 */
type Told =
  | { type: 'changed'; kind: string; id: string }
  | { type: 'progress'; item_id: string; bytes_done: number; bytes_total: number | null }
  | { type: 'state'; up: boolean }
  | { type: 'missed' }
  | { type: 'ask' }

const KEYS: Record<string, string[]> = {
  video_request: ['video-requests'],
  case: ['cases'],
  evidence: ['evidence', 'cases'],
  connector: ['connectors', 'sources'],
  source: ['sources'],
  mail: ['mails'],
  job: ['jobs'],
}

function listen(queries: QueryClient, onState: (up: boolean) => void): () => void {
  const channel = 'BroadcastChannel' in window ? new BroadcastChannel('sightline-live') : null
  const stop = new AbortController()
  let stream: EventSource | null = null
  let retry: ReturnType<typeof setTimeout> | undefined
  let up = true
  let wasDown = false
  const due = new Set<string>()
  let flush: ReturnType<typeof setTimeout> | undefined

  function apply(told: Told) {
    if (told.type === 'changed') {
      for (const key of KEYS[told.kind] ?? []) due.add(key)
      flush ??= setTimeout(() => {
        flush = undefined
        for (const key of due) void queries.invalidateQueries({ queryKey: [key] })
        due.clear()
      }, 250)
    } else if (told.type === 'progress') {
      queries.setQueriesData<VideoRequest>({ queryKey: ['video-requests', 'one'] }, (request) =>
        request?.items.some((item) => item.id === told.item_id)
          ? { ...request, items: request.items.map((item) => (item.id === told.item_id ? { ...item, progress: { bytes_done: told.bytes_done, bytes_total: told.bytes_total } } : item)) }
          : request)
    } else if (told.type === 'state') {
      onState(told.up)
      if (told.up && wasDown) void queries.invalidateQueries()
      wasDown = !told.up
    } else if (told.type === 'missed') {
      void queries.invalidateQueries()
    } else if (stream) {
      channel?.postMessage({ type: 'state', up } satisfies Told)
    }
  }
  function tell(told: Told) {
    apply(told)
    channel?.postMessage(told)
  }
  function state(now: boolean) {
    if (now === up) return
    up = now
    tell({ type: 'state', up })
  }

  function open() {
    if (stop.signal.aborted) return
    stream = new EventSource('/api/v1/events')
    stream.onopen = () => state(true)
    stream.onerror = () => {
      state(false)
      if (stream?.readyState === EventSource.CLOSED) retry = setTimeout(open, 5000)
    }
    for (const type of ['changed', 'progress', 'missed'] as const) {
      stream.addEventListener(type, (event) => {
        try {
          tell({ type, ...JSON.parse(event.data) })
        } catch { /* an event that is no JSON is skipped */ }
      })
    }
  }

  if (channel) channel.onmessage = (event: MessageEvent<Told>) => apply(event.data)
  if (navigator.locks) {
    navigator.locks
      .request('sightline-live', { signal: stop.signal }, () => {
        open()
        return new Promise<void>((done) => stop.signal.addEventListener('abort', () => done()))
      })
      .catch(() => undefined)
  } else {
    open()
  }
  channel?.postMessage({ type: 'ask' } satisfies Told)
  return () => {
    stop.abort()
    stream?.close()
    clearTimeout(retry)
    clearTimeout(flush)
    channel?.close()
  }
}

export function useLive(): 'up' | 'down' {
  const queries = useQueryClient()
  const [up, setUp] = useState(true)
  useEffect(() => listen(queries, setUp), [queries])
  return up ? 'up' : 'down'
}
