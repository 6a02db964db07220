import { type UseQueryOptions, useQuery } from '@tanstack/react-query'
import type { HistoryEntry } from '~/api/types.ts'
import { useZone } from '~/features/session/me.ts'
import { moment } from '~/lib/time.ts'
import { RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Time } from '~/ui/Time.tsx'
import { eventWord } from './words.ts'

/** What the line says already, and what only machines read. */
const SAID = new Set(['state', 'from_state', 'sha256'])

function valueText(value: unknown, zone: string): string {
  return typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value) ? moment(value, zone, false) : String(value)
}

function detailText(detail: unknown, zone: string): string {
  if (detail === null || detail === undefined) return ''
  if (typeof detail !== 'object') return valueText(detail, zone)
  return Object.entries(detail).filter(([k, v]) => v !== null && typeof v !== 'object' && !SAID.has(k)).map(([k, v]) => `${k.replaceAll('_', ' ')} ${valueText(v, zone)}`).join(', ')
}

export function History({ query }: { query: UseQueryOptions<HistoryEntry[], Error, HistoryEntry[], any> }) {
  const zone = useZone()
  const { data, error, isPending } = useQuery(query)
  if (error) return <TroubleNote error={error} />
  if (isPending) return <RowsToCome rows={3} height={32} />
  if (data.length === 0) return <p className="dim">Nothing has happened yet.</p>
  return (
    <ol className="history">
      {data.map((entry) => (
        <li key={entry.id}>
          <span className="small dim"><Time at={entry.at} seconds /></span>
          <span>{eventWord(entry.kind)}{entry.actor && <> · <strong>{entry.actor.name}</strong></>}</span>
          {detailText(entry.detail, zone) && <span className="small dim">{detailText(entry.detail, zone)}</span>}
        </li>
      ))}
    </ol>
  )
}
