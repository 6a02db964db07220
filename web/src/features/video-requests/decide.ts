import type { QueryClient } from '@tanstack/react-query'
import type { Id, Item, VideoRequest } from '~/api/types.ts'
import { later } from '~/ui/Toasts.tsx'
import { actOnItem, type Decision, decideRequest, type ItemVerb, oneRequest } from './api.ts'
import { whatSource } from './words.ts'

export type Held = { verb: ItemVerb; items: Set<Id> }
const WORDS: Partial<Record<ItemVerb, string>> = {
  approve: 'Approving', deny: 'Denying', release: 'Releasing', unavailable: 'Marking as unavailable', cancel: 'Canceling', retry: 'Trying again',
}

/** Held-back decisions, so that a page can show what is about to be sent. */
const held = new Map<Id, ItemVerb>()
const subs = new Set<() => void>()
let version = 0
const changed = () => { version += 1; for (const sub of subs) sub() }
export const heldDecisions = {
  subscribe: (sub: () => void) => { subs.add(sub); return () => { subs.delete(sub) } },
  version: () => version,
  of: (id: Id) => held.get(id),
}

/** Several items are approved or denied together: all or none, and with one mail. */
async function decide(request: Id, items: Item[], verb: ItemVerb, body: Decision): Promise<VideoRequest | undefined> {
  if (items.length > 1 && (verb === 'approve' || verb === 'deny')) return decideRequest(request, verb, { ...body, item_ids: items.map((item) => item.id) })
  let last: VideoRequest | undefined
  for (const item of items) last = await actOnItem(item.id, verb, body)
  return last
}

/** Sends a decision on some items of one request after five seconds, unless it is taken back. */
export function decideLater(queries: QueryClient, request: { id: Id; number: string }, items: Item[], verb: ItemVerb, body: Decision = {}, onSent?: () => void) {
  if (items.length === 0) return
  for (const item of items) held.set(item.id, verb)
  changed()
  const free = () => { for (const item of items) held.delete(item.id); changed() }
  const what = items.length === 1 && items[0] ? whatSource(items[0]) : `${items.length} items`
  later(`${WORDS[verb] ?? verb} ${what} of ${request.number}`, async () => {
    try {
      keep(queries, await decide(request.id, items, verb, body))
      onSent?.()
    } finally {
      free()
      void queries.invalidateQueries({ queryKey: ['video-requests'] })
    }
  }, free)
}

/** The request as an action returned it is the newest there is. */
export function keep(queries: QueryClient, request: VideoRequest | undefined) {
  if (request?.items) queries.setQueryData(oneRequest(request.id).queryKey, request)
  void queries.invalidateQueries({ queryKey: ['video-requests', 'list'] })
  void queries.invalidateQueries({ queryKey: ['video-requests', 'count'] })
}
