import { Button } from '@mantine/core'
import { IconChevronLeft, IconChevronRight, IconDownload, IconFingerprint } from '@tabler/icons-react'
import type { Evidence, Gap } from '~/api/types.ts'
import { Reply } from '~/features/file-requests/Reply.tsx'
import { mayAudit, useMe, useZone } from '~/features/session/me.ts'
import { byReason } from '~/lib/coverage.ts'
import { bytes, clockOffset, number } from '~/lib/format.ts'
import { atHome, duration } from '~/lib/time.ts'
import { Player } from '~/player/Player.tsx'
import { Hash } from '~/ui/Hash.tsx'
import { Empty, Note, RowsToCome } from '~/ui/Notes.tsx'
import { Facts } from '~/ui/Page.tsx'
import { Sheet } from '~/ui/Sheet.tsx'
import { Time, Window } from '~/ui/Time.tsx'
import { evidenceHistory } from './api.ts'
import { History } from './History.tsx'
import { containerWord, frameRate, levelWord, pictureText, unsureText } from './words.ts'

export function EvidenceSheet({ file, loading, files, onOpen, onClose }: { file?: Evidence; loading: boolean; files: Evidence[]; onOpen: (id: string) => void; onClose: () => void }) {
  const at = files.findIndex((f) => f.id === file?.id)
  const before = files[at - 1]
  const after = files[at + 1]
  return (
    <Sheet opened onClose={onClose} size={920} title={file?.source?.name ?? file?.name ?? 'File'} under={file?.recorded ? <Window from={file.recorded.from} to={file.recorded.to} /> : file?.source && file.name}
      foot={file && (file.original_url || files.length > 1) && <>
        {file.original_url && <Button component="a" href={file.original_url} download leftSection={<IconDownload size={14} />}>Download the original, {bytes(file.size_bytes)}</Button>}
        {files.length > 1 && <span className="row push">
          <Button variant="default" disabled={!before} onClick={() => before && onOpen(before.id)} leftSection={<IconChevronLeft size={14} />}>Before</Button>
          <Button variant="default" disabled={!after} onClick={() => after && onOpen(after.id)} rightSection={<IconChevronRight size={14} />}>Next</Button>
        </span>}
      </>}>
      {!file ? (loading ? <RowsToCome rows={3} height={120} /> : <Empty title="There is no such file here">It may have been taken out of the case, or it is not shared with you.</Empty>) : <Body key={file.id} file={file} />}
    </Sheet>
  )
}

/** What is missing and why: each reason under the times it is for. */
function Gaps({ of }: { of: Gap[] }) {
  const zone = useZone()
  return (
    <ul className="gaps">
      {byReason(of).map(({ reason, gaps }) => (
        <li key={reason}>
          {gaps.map((gap) => <div key={gap.from} className="tone-wait"><Window from={gap.from} to={gap.to} /></div>)}
          <div className="small dim">{atHome(reason, zone)}</div>
        </li>
      ))}
    </ul>
  )
}

/** What the connector noted about the export, in words; the whole of it lies beside the file. */
function manifestFacts(manifest: Record<string, unknown> | null): [string, React.ReactNode][] {
  if (!manifest) return []
  const time = (name: string) => typeof manifest[name] === 'string' && <Time key={name} at={manifest[name]} exact />
  const interval = manifest.key_frame_interval_ms
  return [
    ['Exported by', [manifest.software, manifest.adapter].filter((word) => typeof word === 'string').join(', ')],
    ['First frame', time('first_frame')], ['Last frame', time('last_frame')],
    ['Key frames', typeof interval === 'number' && `every ${duration(interval)}`],
    ['Sound', typeof manifest.sound_left_out === 'string' && <span key="s" className="tone-wait">Left out: {manifest.sound_left_out}. A window before or after that has it.</span>],
  ]
}

function Body({ file }: { file: Evidence }) {
  const m = file.media
  const me = useMe()
  const manifest = manifestFacts(file.manifest as Record<string, unknown> | null)
  return (
    <>
      {file.purged_at ? <Note>This file was refused and then purged, <Time at={file.purged_at} />. Its size, its hash and its history are kept.</Note>
        : file.play_url ? <Player src={file.play_url} name={file.source?.name ?? file.name} recorded={file.recorded?.clock ?? []} gaps={file.recorded?.gaps ?? []} offsetMs={file.recorded?.clock_offset_ms ?? null} frameRate={frameRate(file)} viewer={file.level === 'view' ? me.account.name : undefined} />
        : file.playable.state === 'waiting' ? <Note>A playable copy is being made. It appears here by itself.</Note>
          : <Note tone="wait">This file cannot be played here{file.playable.error && `: ${file.playable.error}`}. The original is kept as it came{file.original_url ? ' and can be downloaded' : ''}.</Note>}
      <div className="ev-grid">
        <section className="stack">
          <h3>Facts</h3>
          <Facts of={[
            ['File', <span key="n" className="mono">{file.name}</span>],
            ['SHA-256', <Hash key="h" value={file.sha256} />],
            ['Size', `${bytes(file.size_bytes)} (${number(file.size_bytes)} bytes)`],
            ['Recorded', file.recorded && <span key="w"><Window from={file.recorded.from} to={file.recorded.to} />{unsureText(file.recorded.uncertainty_ms) && <span className="num"> · {unsureText(file.recorded.uncertainty_ms)}</span>}</span>],
            ['Gaps', file.recorded && (file.recorded.gaps.length === 0 ? 'None' : <Gaps key="p" of={file.recorded.gaps} />)],
            ['Recorder clock', file.recorded?.clock_offset_ms != null && clockOffset(file.recorded.clock_offset_ms)],
            ['Camera’s clock', file.source_clock_offset_ms != null && `${clockOffset(file.source_clock_offset_ms)}, as the registry says; times in the picture are not corrected`],
            ['Picture', m && pictureText(m, frameRate(file))],
            ['Length', m?.duration_ms && (m.claimed_ms ? <span key="l" className="tone-wait">{duration(m.duration_ms)} can be played; the file claims {duration(m.claimed_ms)}. The rest is missing or damaged.</span> : duration(m.duration_ms))],
            ['Container', m?.container && containerWord(m.container)],
            ...manifest,
            ['Arrived', <Time key="a" at={file.created_at} seconds />],
            ['You may', levelWord(file.level)],
          ]} />
          {file.reply && <Reply of={file.reply} />}
          <p className="proven">
            <IconFingerprint size={16} aria-hidden />
            {file.ledger.leaf_index !== null ? <span>Proven: its arrival is entry <span className="num">{number(file.ledger.leaf_index)}</span> of the ledger.{mayAudit(me) && <> <a href="/api/v1/ledger/checkpoint" target="_blank" rel="noreferrer">Signed checkpoint</a></>}</span> : <span className="dim">Its arrival is about to be written into the signed ledger.</span>}
          </p>
        </section>
        <section className="stack">
          <h3>History</h3>
          <History query={evidenceHistory(file.id)} />
        </section>
      </div>
    </>
  )
}
