import { Button } from '@mantine/core'
import { IconBan, IconCheck, IconEye, IconFile, IconHelpCircle, IconLink, IconLock, IconLockOpen, IconMessage, IconRefresh, IconScissors, IconVideoOff, IconX } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState, useSyncExternalStore } from 'react'
import type { Item, ItemAction, VideoRequest } from '~/api/types.ts'
import { CoverageStrip } from '~/features/sources/CoverageStrip.tsx'
import { useZone } from '~/features/session/me.ts'
import { LookAt } from '~/features/cases/LookAt.tsx'
import { oneCamera } from '~/features/sources/api.ts'
import { bytes, hereText, percent } from '~/lib/format.ts'
import { useTimeLeft } from '~/lib/rate.ts'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { Hash } from '~/ui/Hash.tsx'
import { Status } from '~/ui/Status.tsx'
import { Thumb } from '~/ui/Thumb.tsx'
import { DiesIn, Window } from '~/ui/Time.tsx'
import { tellTrouble } from '~/ui/Toasts.tsx'
import { AboutToBeSent } from './AboutToBeSent.tsx'
import { actOnItem, type Decision, type ItemVerb } from './api.ts'
import { type Choice, DecisionForm } from './DecisionForm.tsx'
import { decideLater, heldDecisions, keep } from './decide.ts'
import { HoldState } from './HoldState.tsx'
import { ItemLink } from './ItemLink.tsx'
import { LifeLine } from './LifeLine.tsx'
import { isAllHere, missingTexts, reasonText, waitingText, waitsAtRecorder, whatSource } from './words.ts'

export function ItemRow({ item, request }: { item: Item; request: VideoRequest }) {
  const queries = useQueryClient()
  const zone = useZone()
  const [choice, setChoice] = useState<Choice | 'link' | null>(null)
  useSyncExternalStore(heldDecisions.subscribe, heldDecisions.version)
  const held = heldDecisions.of(item.id)
  const offline = item.waiting_for === 'connector_offline' && item.source
  const { data: camera } = useQuery({ ...oneCamera(item.source?.id ?? ''), enabled: !!offline, retry: false })
  const can = (verb: ItemAction) => !held && item.allowed_actions.includes(verb)
  const act = useMutation({
    mutationFn: ({ verb }: { verb: ItemVerb }) => actOnItem(item.id, verb),
    onSuccess: (fresh) => keep(queries, fresh),
    onError: tellTrouble,
  })
  function close() {
    setChoice(null)
    document.getElementById(item.id)?.querySelector<HTMLElement>('.item-acts button')?.focus()
  }
  function decide(verb: ItemVerb, body: Decision, onSent: () => void) {
    setChoice(null)
    decideLater(queries, request, [item], verb, body, onSent)
  }
  const reason = reasonText(item, zone)
  const waiting = waitingText(item, zone, item.waiting_since ?? camera?.connector?.last_seen_at)
  const done = item.progress ? percent(item.progress.bytes_done, item.progress.bytes_total) : null
  const here = isAllHere(item)
  const moving = item.progress && !waiting && !here && ['exporting', 'uploading'].includes(item.state)
  const left = useTimeLeft(moving ? item.progress?.bytes_done : undefined, item.progress?.bytes_total)
  return (
    <div className="item" id={item.id}>
      <div className="item-head">
        <Thumb src={item.source?.thumbnail_url ?? null} width={112} />
        <div className="grow stack" style={{ gap: 3 }}>
          <div className="row wrap" style={{ justifyContent: 'space-between' }}>
            <h2 className="cut">{item.source ? <Link to="/registry" search={{ camera: item.source.id } as never}>{whatSource(item)}</Link> : whatSource(item)}</h2>
            <Status of={item.state} />
          </div>
          <div className="dim small">{item.organization.name}{item.channels && ` · channels ${item.channels.join(', ')}`}</div>
          <div className="small"><Window from={item.from} to={item.to} /></div>
          {item.granted && (item.granted.from !== item.from || item.granted.to !== item.to) && <div className="small"><span className="dim">Granted </span><Window {...item.granted} /></div>}
        </div>
      </div>
      <LifeLine item={item} />
      {moving && item.progress && (
        <div className="row">
          {done !== null && <div className="bar grow" role="progressbar" aria-label="Arriving" aria-valuemin={0} aria-valuemax={100} aria-valuenow={done}><i style={{ width: `${done}%` }} /></div>}
          <span className="small num dim">{hereText(item.progress, item.state)}{left && `, ${left}`}</span>
        </div>
      )}
      {here && <p className="small dim">What was sent has arrived. Whoever sends it has not said yet that this is all.</p>}
      {waiting && <p className={item.waiting_for === 'connector_offline' ? 'small tone-wait' : 'small dim'}>{waiting}</p>}
      {reason && <p className={item.state === 'failed' ? 'small tone-bad' : 'small'}>{reason}</p>}
      {item.level && !['unavailable', 'denied', 'canceled', 'expired'].includes(item.state) && <p className="small dim">{item.level === 'view' ? 'View only' : 'May be downloaded'}{item.review_before_release && ', after the approver has looked at it'}</p>}
      {request.open && item.source && waitsAtRecorder(item) && (
        <div className="row wrap" style={{ alignItems: 'flex-end', gap: '4px 16px' }}>
          <div style={{ flex: '1 1 220px' }}><CoverageStrip id={item.source.id} from={item.from} to={item.to} granted={item.granted} /></div>
          <span className="small">{item.hold === 'held' ? <HoldState item={item} /> : item.overwrite_at && <DiesIn at={item.overwrite_at} prefix="dies in " />}</span>
        </div>
      )}
      {missingTexts(item.missing, zone).map((text) => <p key={text} className="small tone-wait">{text}</p>)}
      {item.evidence.map((file) => (
        <div className="evidence-row" key={file.id}>
          <span className="row">
            <IconFile size={16} style={{ flex: 'none' }} aria-hidden />
            {request.case_id && !file.purged_at ? <Link to="/cases/$id" params={{ id: request.case_id }} search={{ file: file.id } as never}>{file.name}</Link> : <span>{file.name}</span>}
          </span>
          <span className="dim num">{bytes(file.size_bytes)}</span>
          {file.sha256 && <Hash value={file.sha256} short />}
          {missingTexts(file.gaps, zone).map((text) => <span key={text} className="small tone-wait">{text}</span>)}
          {can('release') && <LookAt id={file.id} of={whatSource(item)} />}
          {file.purged_at && <span className="small dim">purged; its hash is kept</span>}
          {!file.purged_at && file.playable === 'waiting' && <span className="small dim">being made playable</span>}
          {!file.purged_at && file.playable === 'failed' && <span className="small tone-wait">cannot be played here; the original is kept as it came</span>}
        </div>
      ))}
      {held && <AboutToBeSent leaving={heldDecisions.isLeaving(item.id)} />}
      <div className="item-acts">
        {can('approve') && <Button leftSection={<IconCheck size={14} />} variant={choice === 'approve' ? 'light' : 'filled'} onClick={() => setChoice('approve')}>Approve</Button>}
        {can('approve') && <Button leftSection={<IconScissors size={14} />} variant="default" onClick={() => setChoice('narrow')}>Narrow</Button>}
        {can('ask') && <Button leftSection={<IconHelpCircle size={14} />} variant="default" onClick={() => setChoice('ask')}>Ask a question</Button>}
        {can('answer') && <Button leftSection={<IconMessage size={14} />} onClick={() => setChoice('answer')}>Answer</Button>}
        {can('release') && <Button leftSection={<IconEye size={14} />} onClick={() => decideLater(queries, request, [item], 'release')}>Release to the requester</Button>}
        {can('retry') && <Button leftSection={<IconRefresh size={14} />} loading={act.isPending} onClick={() => act.mutate({ verb: 'retry' })}>Try again</Button>}
        {can('file_request') && <Button leftSection={<IconLink size={14} />} variant="default" onClick={() => setChoice('link')}>Upload link</Button>}
        {can('unavailable') && <Button leftSection={<IconVideoOff size={14} />} variant="default" onClick={() => setChoice('unavailable')}>Nothing there</Button>}
        {can('deny') && <Button leftSection={<IconBan size={14} />} variant="default" onClick={() => setChoice('deny')}>Deny</Button>}
        {can('hold') && <Button leftSection={<IconLock size={14} />} variant="default" loading={act.isPending} onClick={() => act.mutate({ verb: 'hold' })}>Hold the footage</Button>}
        {can('free') && <ConfirmButton label="Let go of the hold" icon={<IconLockOpen size={14} />} verb="Let go" onConfirm={() => act.mutate({ verb: 'free' })} question="What is kept is deleted. The recorder may write over its own copy before anybody decides." />}
        {can('cancel') && <ConfirmButton label="Cancel this item" icon={<IconX size={14} />} verb="Cancel it" onConfirm={() => act.mutate({ verb: 'cancel' })} question="The owner is told that it is no longer needed. What is held is freed." />}
      </div>
      {choice && choice !== 'link' && <DecisionForm key={choice} choice={choice} items={[item]} onDecide={decide} onSaid={close} onClose={close} />}
      {(choice === 'link' || item.file_request) && <ItemLink item={item} making={choice === 'link'} onClose={() => setChoice(null)} />}
    </div>
  )
}
