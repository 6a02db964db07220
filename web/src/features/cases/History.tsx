import { type UseQueryOptions, useQuery } from '@tanstack/react-query'
import type { HistoryEntry } from '~/api/types.ts'
import { RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Time } from '~/ui/Time.tsx'
import { eventWord } from './words.ts'

function detailText(detail: unknown): string {
  if (detail === null || detail === undefined) return ''
  if (typeof detail === 'string') return detail
  if (typeof detail !== 'object') return String(detail)
  return Object.entries(detail).filter(([, v]) => v !== null && typeof v !== 'object').map(([k, v]) => `${k.replaceAll('_', ' ')} ${v}`).join(', ')
}

export function History({ query }: { query: UseQueryOptions<HistoryEntry[], Error, HistoryEntry[], any> }) {
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
          {detailText(entry.detail) && <span className="small dim">{detailText(entry.detail)}</span>}
        </li>
      ))}
    </ol>
  )
}
