import { IconVolume } from '@tabler/icons-react'
import type { Evidence } from '~/api/types.ts'
import { useZone } from '~/features/session/me.ts'
import { lanesOf } from '~/lib/lanes.ts'
import { bytes } from '~/lib/format.ts'
import { duration, moment, span, zonedClock } from '~/lib/time.ts'
import { Thumb } from '~/ui/Thumb.tsx'

/** How high a lane of the line is: enough to be pointed at. */
const LANE = 16

/** The files as pictures, and where each lies on the time they share. */
export function EvidenceWall({ files, onOpen }: { files: Evidence[]; onOpen: (id: string) => void }) {
  const zone = useZone()
  const timed = files.flatMap(({ id, name, recorded }) => (recorded ? [{ id, name, from: Date.parse(recorded.from), to: Date.parse(recorded.to) }] : []))
  const start = Math.min(...timed.map(({ from }) => from))
  const long = Math.max(...timed.map(({ to }) => to)) - start || 1
  const { lanes, of } = lanesOf(timed)
  const place = ({ id, from, to }: (typeof timed)[number]) => ({ top: 3 + (of.get(id) ?? 0) * LANE, left: `${((from - start) / long) * 100}%`, width: `max(3px, ${((to - from) / long) * 100}%)` })
  return (
    <>
      {timed.length > 1 && (
        <div className="line" style={{ height: lanes * LANE + 4 }} aria-hidden>
          {timed.map((f) => <button key={f.id} type="button" tabIndex={-1} title={f.name} style={place(f)} onClick={() => onOpen(f.id)} />)}
        </div>
      )}
      <ul className="wall">
        {files.map((file) => (
          <li key={file.id}>
            <button type="button" className="plain tile" onClick={() => onOpen(file.id)}>
              <span className="tile-picture">
                <Thumb src={file.thumbnail_url} width="100%" sign={file.media?.audio_codec && !file.media.video_codec ? IconVolume : undefined} />
                {file.media?.duration_ms && <span className="tile-length num">{duration(file.media.duration_ms)}</span>}
              </span>
              <strong className="cut">{file.source?.name ?? file.name}</strong>
              <span className="small dim cut">{file.recorded ? span(file.recorded.from, file.recorded.to, zone) : file.source ? file.name : `arrived ${moment(file.created_at, zone, false)}`}</span>
              <span className="small dim num">
                {bytes(file.size_bytes)}
                {!file.recorded && file.source && ` · arrived ${moment(file.created_at, zone, false)}`}
                {file.recorded && file.recorded.gaps.length > 0 && <span className="tone-wait"> · {file.recorded.gaps.length === 1 ? 'a gap' : `${file.recorded.gaps.length} gaps`} from {zonedClock(file.recorded.gaps[0]?.from ?? '', zone)}</span>}
                {file.playable.state === 'waiting' && ' · being made playable'}
                {file.playable.state === 'failed' && <span className="tone-wait"> · cannot be played here</span>}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </>
  )
}
