import type { Source } from '~/api/types.ts'
import { metres } from '~/lib/format.ts'
import { Status } from '~/ui/Status.tsx'
import { Thumb } from '~/ui/Thumb.tsx'

export function HoverCard({ source, chosen }: { source: Source; chosen: boolean }) {
  return (
    <div>
      {source.thumbnail_url && <Thumb src={source.thumbnail_url} width="100%" />}
      <div className="text">
        <strong>{source.name}</strong>
        <div className="dim small">{source.organization.name}{source.distance_m != null && ` · ${metres(source.distance_m)}`}</div>
        <div className="row small" style={{ justifyContent: 'space-between' }}>
          <Status of={source.status} />
          <span className="dim">{chosen ? 'Click to leave out' : 'Click to choose'}</span>
        </div>
      </div>
    </div>
  )
}
