import { type UseQueryOptions, useQuery } from '@tanstack/react-query'
import type { HistoryEntry } from '~/api/types.ts'
import { useZone } from '~/features/session/me.ts'
import { RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Time } from '~/ui/Time.tsx'
import { detailText, eventWord } from './words.ts'

export function History({ query }: { query: UseQueryOptions<HistoryEntry[], Error, HistoryEntry[], any> }) {
  const { data, error, isPending } = useQuery(query)
  if (error) return <TroubleNote error={error} />
  if (isPending) return <RowsToCome rows={3} height={32} />
  if (data.length === 0) return <p className="dim">Nothing has happened yet.</p>
  return (
    <ol className="history">
      {data.map((entry) => <Entry key={entry.id} entry={entry} />)}
    </ol>
  )
}

function Entry({ entry }: { entry: HistoryEntry }) {
  const facts = detailText(entry.detail, useZone())
  return (
    <li>
      <span className="small dim"><Time at={entry.at} seconds /></span>
      <span>{eventWord(entry.kind, entry.detail)}{entry.actor && <> · <strong>{entry.actor.name}</strong></>}</span>
      {facts && <span className="small dim">{facts}</span>}
    </li>
  )
}
