import { Button, Checkbox } from '@mantine/core'
import { IconChevronRight, IconMapPinOff } from '@tabler/icons-react'
import { useEffect, useRef } from 'react'
import type { Source } from '~/api/types.ts'
import { compass, metres, retention } from '~/lib/format.ts'
import { More } from '~/ui/More.tsx'
import { Empty, RowsToCome } from '~/ui/Notes.tsx'
import { look } from '~/ui/Status.tsx'
import { Thumb } from '~/ui/Thumb.tsx'

interface Paged { isPending: boolean; hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }

export function SourceRows({ query, sources, total, hover, chosen, onHover, onChoose, onOpen, filtered, onClear }: {
  query: Paged; sources: Source[]; total: number; hover: string | null; chosen: Set<string>; filtered: boolean
  onHover: (id: string | null) => void; onChoose: (id: string) => void; onOpen: (id: string) => void; onClear: () => void
}) {
  const rows = useRef<HTMLUListElement>(null)
  const inside = useRef(false)
  // Pointing at the map brings the row into sight; pointing at the row leaves the list where it is.
  useEffect(() => {
    if (!hover || inside.current) return
    rows.current?.querySelector(`[data-id="${CSS.escape(hover)}"]`)?.scrollIntoView({ block: 'nearest' })
  }, [hover])

  if (query.isPending) return <RowsToCome rows={9} height={52} />
  if (sources.length === 0) {
    return filtered ? (
      <Empty icon={IconMapPinOff} title="No camera here" action={<Button variant="default" onClick={onClear}>Show all cameras</Button>}>
        Nothing in the registry matches this place and these words. Move the map, widen the reach, or drop a filter.
      </Empty>
    ) : (
      <Empty icon={IconMapPinOff} title="The registry is empty">
        Cameras appear here when a connector publishes them, or when somebody adds one by hand.
      </Empty>
    )
  }
  return (
    <div className="src-scroll" onPointerEnter={() => { inside.current = true }} onPointerLeave={() => { inside.current = false; onHover(null) }}>
      <ul className="src-rows" ref={rows}>
        {sources.map((source) => {
          const { word, tone, icon: Icon } = look(source.status)
          return (
            <li key={source.id} data-id={source.id} data-hover={hover === source.id} data-chosen={chosen.has(source.id)} onPointerEnter={() => onHover(source.id)}>
              <Checkbox checked={chosen.has(source.id)} onChange={() => onChoose(source.id)} aria-label={`Choose ${source.name}`} />
              <Thumb src={source.thumbnail_url} width={72} />
              <button type="button" className="plain src-text" onClick={() => onOpen(source.id)} onFocus={() => onHover(source.id)}>
                <span className="row" style={{ gap: 6 }}>
                  <strong className="src-name">{source.name}</strong>
                  {source.distance_m != null && <span className="num push">{metres(source.distance_m)}</span>}
                </span>
                <span className="cut dim small">{[source.organization.name, source.address].filter(Boolean).join(' · ')}</span>
                <span className="row small" style={{ gap: 10 }}>
                  <span className={`status tone-${tone}`} style={{ fontWeight: 450 }}><Icon size={13} aria-hidden />{word}</span>
                  {source.bearing_deg !== null && <span className="dim num">looks {compass(source.bearing_deg)}</span>}
                  {source.retention_hours !== null && <span className="dim num">keeps {retention(source.retention_hours)}</span>}
                </span>
              </button>
              <IconChevronRight size={16} className="dim" aria-hidden />
            </li>
          )
        })}
      </ul>
      {query.hasNextPage && <p className="dim small" style={{ textAlign: 'center', paddingTop: 12 }}>{sources.length} of {total} on list and map. Come nearer, or show more.</p>}
      <More query={query} />
    </div>
  )
}
