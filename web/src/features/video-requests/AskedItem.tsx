import { ActionIcon, Button } from '@mantine/core'
import { IconClockEdit, IconX } from '@tabler/icons-react'
import type { Source } from '~/api/types.ts'
import { CoverageStrip } from '~/features/sources/CoverageStrip.tsx'
import { retention } from '~/lib/format.ts'
import { addSeconds } from '~/lib/time.ts'
import { Thumb } from '~/ui/Thumb.tsx'
import { DiesIn } from '~/ui/Time.tsx'
import { WindowField } from '~/ui/WindowField.tsx'

/** One camera of a request to be sent: what it has for the minutes asked, and minutes of its own if need be. */
export function AskedItem({ source, window, isOwn, zone, longest, error, onWindow, onRemove }: {
  source: Source; window: { from: string; to: string }; isOwn: boolean; zone: string; longest: number; error?: string
  onWindow: (window: { from: string; to: string } | null) => void; onRemove: () => void
}) {
  const dies = source.retention_hours === null ? null : addSeconds(window.from, source.retention_hours * 3600)
  return (
    <div className="asked">
      <div className="row" style={{ alignItems: 'flex-start' }}>
        <Thumb src={source.thumbnail_url} width={72} />
        <div className="grow">
          <div className="row"><strong className="cut grow">{source.name}</strong>
            <ActionIcon size={24} aria-label={`Leave out ${source.name}`} onClick={onRemove}><IconX size={14} /></ActionIcon>
          </div>
          <div className="dim small">
            {source.organization.name}
            {source.retention_hours !== null && <> · keeps {retention(source.retention_hours)} · <DiesIn at={dies} prefix="dies in " /></>}
          </div>
        </div>
      </div>
      <CoverageStrip id={source.id} from={window.from} to={window.to} ask={!!source.connector?.online} />
      {error && <span className="small tone-bad" role="alert">{error}</span>}
      {isOwn ? (
        <div className="stack">
          <WindowField {...window} zone={zone} longest={longest} quick={false} onChange={(from, to) => onWindow({ from, to })} />
          <div><Button variant="subtle" onClick={() => onWindow(null)}>Same minutes as the others</Button></div>
        </div>
      ) : (
        <div><Button variant="subtle" leftSection={<IconClockEdit size={14} />} onClick={() => onWindow(window)}>Other minutes for this camera</Button></div>
      )}
    </div>
  )
}
