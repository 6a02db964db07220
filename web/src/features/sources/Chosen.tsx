import { ActionIcon, Button } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useQueries, useQueryClient } from '@tanstack/react-query'
import { useCallback, useMemo, useState } from 'react'
import { asTrouble } from '~/api/problem.ts'
import type { Source } from '~/api/types.ts'
import { plural } from '~/lib/format.ts'
import { useAddress } from '~/lib/search.ts'
import { oneCamera } from './api.ts'

export interface ChosenSet {
  ids: Set<string>
  /** Those of them that are known here. */
  sources: Source[]
  /** How many are on their way. */
  coming: number
  /** Those that could not be loaded; `gone`: they are not there for this person any more. */
  lost: { id: string; gone: boolean; name?: string }[]
  toggle: (id: string) => void; clear: () => void; add: (ids: string[]) => void; leaveOut: (ids: string[]) => void
  /** Asks for all of them anew, those that were known too. */
  again: () => void
}

/** The cameras chosen for a request; they stay chosen when the map moves on, and are part of the address. */
export function useChosen(loaded: Source[]): ChosenSet {
  const [address, set] = useAddress()
  const list = useMemo(() => (address.chosen ? address.chosen.split(',') : []), [address.chosen])
  const ids = useMemo(() => new Set(list), [list])
  const here = useMemo(() => new Map(loaded.map((s) => [s.id, s])), [loaded])
  const seen = useMemo(() => new Map<string, Source>(), [])
  const [, setTurn] = useState(0)
  // What is lost later is told by its name.
  const names = useMemo(() => new Map<string, string>(), [])
  for (const id of list) {
    const source = here.get(id)
    if (source) seen.set(id, source)
  }
  const missing = list.filter((id) => !seen.has(id))
  const fetched = useQueries({ queries: missing.map((id) => ({ ...oneCamera(id), staleTime: 60_000, retry: false })) })
  const sources: Source[] = []
  const lost: ChosenSet['lost'] = []
  let coming = 0
  for (const id of list) {
    const asked = fetched[missing.indexOf(id)]
    const gone = !!asked?.error && asTrouble(asked.error).status === 404
    const source = seen.get(id) ?? (gone ? undefined : asked?.data)
    if (source) { sources.push(source); names.set(id, source.name) }
    else if (asked?.fetchStatus === 'fetching') coming += 1
    else lost.push({ id, gone, name: names.get(id) })
  }
  const queries = useQueryClient()
  const write = useCallback((next: string[]) => set({ chosen: next.join(',') }), [set])
  return {
    ids, sources, coming, lost,
    toggle: (id) => write(ids.has(id) ? list.filter((x) => x !== id) : [...list, id]),
    add: (more) => write([...new Set([...list, ...more])]),
    clear: () => write([]),
    leaveOut: (some) => write(list.filter((id) => !some.includes(id))),
    // The list of before still has what is gone: what was seen is forgotten when the new one is here.
    again: () => void queries.invalidateQueries({ queryKey: ['sources'] }).then(() => { seen.clear(); setTurn((turn) => turn + 1) }),
  }
}

export function ChosenBar({ chosen, onAsk, canAsk, onOpen }: { chosen: ChosenSet; onAsk: () => void; canAsk: boolean; onOpen: (id: string) => void }) {
  if (chosen.ids.size === 0) return null
  return (
    <div className="chosen-bar" role="region" aria-label="Chosen cameras">
      <div className="chosen-names">
        {chosen.sources.map((source) => (
          <span key={source.id} className="chosen-name">
            <button type="button" className="plain cut" onClick={() => onOpen(source.id)}>{source.name}</button>
            <ActionIcon size={24} aria-label={`Leave out ${source.name}`} onClick={() => chosen.toggle(source.id)}><IconX size={14} /></ActionIcon>
          </span>
        ))}
      </div>
      <div className="row" style={{ flex: 'none' }}>
        <Button variant="subtle" color="gray" onClick={chosen.clear}>Clear</Button>
        {canAsk && <Button size="sm" onClick={onAsk}>Request video from {plural(chosen.ids.size, 'camera')}</Button>}
      </div>
    </div>
  )
}
