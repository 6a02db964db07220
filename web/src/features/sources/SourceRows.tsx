import { Button, Checkbox } from '@mantine/core'
import { IconChevronRight, IconMapPinOff } from '@tabler/icons-react'
import { memo, useEffect, useRef, useState } from 'react'
import type { Source } from '~/api/types.ts'
import { compass, metres, number, retention } from '~/lib/format.ts'
import { Empty, RowsToCome } from '~/ui/Notes.tsx'
import { look } from '~/ui/Status.tsx'
import { Thumb } from '~/ui/Thumb.tsx'

/** So many rows stand there at first, and as many more at each wish: a browser is slow at thousands. */
const ROWS = 500

interface Acts { onHover: (id: string | null) => void; onChoose: (id: string) => void; onOpen: (id: string) => void }

export function SourceRows({ query, sources, hover, chosen, onHover, onChoose, onOpen, filtered, onClear }: {
  query: { isPending: boolean }; sources: Source[]; hover: string | null; chosen: Set<string>; filtered: boolean
  onClear: () => void
} & Acts) {
  const [shown, setShown] = useState(ROWS)
  // The same for all rows and always: a row is drawn anew only when something about it changed.
  const now = useRef({ onHover, onChoose, onOpen })
  now.current = { onHover, onChoose, onOpen }
  const [acts] = useState<Acts>(() => ({ onHover: (id) => now.current.onHover(id), onChoose: (id) => now.current.onChoose(id), onOpen: (id) => now.current.onOpen(id) }))
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
        {sources.slice(0, shown).map((source) => <Row key={source.id} source={source} hover={hover === source.id} chosen={chosen.has(source.id)} acts={acts} />)}
      </ul>
      {sources.length > shown && (
        <div className="more">
          <p className="dim small">{number(shown)} of {number(sources.length)} listed</p>
          <Button variant="default" onClick={() => setShown(shown + ROWS)}>Show more</Button>
        </div>
      )}
    </div>
  )
}

const Row = memo(function Row({ source, hover, chosen, acts }: { source: Source; hover: boolean; chosen: boolean; acts: Acts }) {
  const { word, tone, icon: Icon } = look(source.status)
  return (
    <li data-id={source.id} data-hover={hover} data-chosen={chosen} onPointerEnter={() => acts.onHover(source.id)}>
      <Checkbox checked={chosen} onChange={() => acts.onChoose(source.id)} aria-label={`Choose ${source.name}`} />
      <Thumb src={source.thumbnail_url} width={72} />
      <button type="button" className="plain src-text" onClick={() => acts.onOpen(source.id)} onFocus={() => acts.onHover(source.id)}>
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
})
