import { Button, Checkbox, Skeleton } from '@mantine/core'
import { IconBan, IconCheck, IconHelpCircle, IconLock, IconScissors } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Item, ItemAction, VideoRequest, VideoRequestHead } from '~/api/types.ts'
import { CoverageStrip } from '~/features/sources/CoverageStrip.tsx'
import { actOnItem, type Decision, type ItemVerb, oneRequest, overlapping } from '~/features/video-requests/api.ts'
import { AboutToBeSent } from '~/features/video-requests/AboutToBeSent.tsx'
import { type Choice, DecisionForm } from '~/features/video-requests/DecisionForm.tsx'
import { decideLater, heldDecisions, keep } from '~/features/video-requests/decide.ts'
import { LookAt } from '~/features/cases/LookAt.tsx'
import { useZone } from '~/features/session/me.ts'
import { HoldState } from '~/features/video-requests/HoldState.tsx'
import { heldText, lastsUntil, missingTexts, whatSource } from '~/features/video-requests/words.ts'
import { plural } from '~/lib/format.ts'
import { Status } from '~/ui/Status.tsx'
import { Thumb } from '~/ui/Thumb.tsx'
import { Ago, DiesIn, Time, Window } from '~/ui/Time.tsx'
import { tellTrouble } from '~/ui/Toasts.tsx'
import type { Pressed, ReviewKey } from './Review.tsx'

const BY_KEY: Record<ReviewKey, Choice> = { a: 'approve', n: 'narrow', q: 'ask', d: 'deny' }

/** Puts the focus on a card, by its heading. */
export function focusCard(id: string) {
  const card = document.getElementById(`card-${id}`)
  card?.querySelector<HTMLElement>('h2 a')?.focus({ preventScroll: true })
  card?.scrollIntoView({ block: 'nearest' })
}

/** Who asks, why, which camera, which minutes, when it dies; and the four answers. */
export function ReviewCard({ head, next, current, pressed, onFocus }: { head: VideoRequestHead; next?: VideoRequestHead; current: boolean; pressed: Pressed | null; onFocus: () => void }) {
  const queries = useQueryClient()
  const zone = useZone()
  const { data: request } = useQuery(oneRequest(head.id))
  useSyncExternalStore(heldDecisions.subscribe, heldDecisions.version)
  const mine = request?.items.filter((item) => item.allowed_actions.some((a) => ['approve', 'deny', 'ask', 'release', 'unavailable'].includes(a))) ?? []
  const [left, setLeft] = useState<Set<string>>(new Set())
  const [choice, setChoice] = useState<Choice | null>(null)
  const picked = mine.filter((item) => !left.has(item.id) && !heldDecisions.of(item.id))
  const able = (verb: ItemAction) => picked.filter((item) => item.allowed_actions.includes(verb))
  const can = (verb: ItemAction) => able(verb).length > 0
  const verbOf = (c: Choice) => (c === 'narrow' ? 'approve' : c)
  const count = (verb: ItemAction) => (mine.length > 1 ? ` ${able(verb).length}` : '')
  const hold = useMutation({
    mutationFn: async (items: Item[]) => {
      let last: VideoRequest | undefined
      for (const item of items) last = await actOnItem(item.id, 'hold')
      return last
    },
    onSuccess: (fresh) => fresh && keep(queries, fresh), onError: tellTrouble,
  })
  useEffect(() => {
    if (!pressed) return
    const wanted = BY_KEY[pressed.key]
    const n = able(verbOf(wanted)).length
    if (n === 1 || (n > 1 && (wanted === 'approve' || wanted === 'deny'))) setChoice(wanted)
  }, [pressed])

  /** The button that opened the form may be gone with it; the card keeps the focus. */
  function close() {
    setChoice(null)
    focusCard(head.id)
  }
  /** On to the next card: this one leaves when the decision is sent. */
  function goOn() {
    setChoice(null)
    focusCard((next ?? head).id)
  }
  function decide(verb: ItemVerb, body: Decision, onSent: () => void) {
    if (!request) return
    goOn()
    decideLater(queries, request, able(verb), verb, body, onSent)
  }
  const undecided = mine.filter((item) => item.allowed_actions.includes('approve') && !heldDecisions.of(item.id))
  const lasts = lastsUntil(undecided)
  const waiting = mine.filter((item) => heldDecisions.of(item.id))
  return (
    <li className="card panel" id={`card-${head.id}`} data-current={current} onFocus={onFocus} onPointerDown={onFocus}>
      <div className="card-head">
        <div className="grow">
          <h2><Link to="/requests/$id" params={{ id: head.id }}><span className="num dim">{head.number}</span> {head.name}</Link></h2>
          <p className="small dim">
            <strong>{head.requester.name}</strong>, {head.requester.organization.name} · asked <Ago at={head.created_at} />{head.category && ` · ${head.category}`}{head.incident.number && ` · ${head.incident.number}`}
          </p>
        </div>
        {lasts && <Lasts {...lasts} />}
      </div>
      {request?.reason && <p className="card-why">{request.reason}</p>}
      {head.needed_by && <p className="small">Needed by <Time at={head.needed_by} /></p>}
      {!request ? <Skeleton height={64} /> : mine.map((item) => (
        <div className="card-item" key={item.id}>
          {mine.length > 1 && <Checkbox size="md" checked={!left.has(item.id)} aria-label={`Decide on ${whatSource(item)}`}
            onChange={() => setLeft((l) => { const next = new Set(l); if (!next.delete(item.id)) next.add(item.id); return next })} />}
          <Thumb src={item.source?.thumbnail_url ?? null} width={128} />
          <div className="grow stack" style={{ gap: 4 }}>
            <div className="row wrap" style={{ justifyContent: 'space-between' }}><strong className="cut">{whatSource(item)}</strong><Status of={item.state} /></div>
            <div className="small"><Window from={item.from} to={item.to} /></div>
            {item.source && <CoverageStrip id={item.source.id} from={item.from} to={item.to} />}
            <div className="row wrap small dim" style={{ gap: 12 }}>
              {(mine.length > 1 || item.hold !== 'held') && <HoldState item={item} />}
              {item.hold !== 'held' && undecided.includes(item) && item.overwrite_at && item.overwrite_at !== lasts?.at && <DiesIn at={item.overwrite_at} prefix="dies in " />}
              {item.source && <AlsoAsked item={item} request={request} />}
            </div>
            {item.allowed_actions.includes('release') && item.evidence.map((file) => (
              <div key={file.id} className="row wrap">
                <LookAt id={file.id} of={whatSource(item)} /><span className="small dim cut">{file.name}</span>
                {missingTexts(file.gaps, zone).map((text) => <span key={text} className="small tone-wait">{text}</span>)}
              </div>
            ))}
          </div>
        </div>
      ))}
      {waiting.length > 0 && <AboutToBeSent leaving={waiting.every((item) => heldDecisions.isLeaving(item.id))} />}
      {choice ? <DecisionForm key={choice} choice={choice} items={able(verbOf(choice))} onDecide={decide} onSaid={goOn} onClose={close} /> : picked.length > 0 && request && (
        <div className="row wrap">
          {can('approve') && <Button size="sm" leftSection={<IconCheck size={15} />} onClick={() => setChoice('approve')}>Approve{count('approve')}</Button>}
          {able('approve').length === 1 && <Button size="sm" variant="default" leftSection={<IconScissors size={15} />} onClick={() => setChoice('narrow')}>Narrow</Button>}
          {able('ask').length === 1 && <Button size="sm" variant="default" leftSection={<IconHelpCircle size={15} />} onClick={() => setChoice('ask')}>Ask</Button>}
          {can('deny') && <Button size="sm" variant="default" leftSection={<IconBan size={15} />} onClick={() => setChoice('deny')}>Deny{count('deny')}</Button>}
          {can('hold') && <Button size="sm" variant="default" leftSection={<IconLock size={15} />} loading={hold.isPending} onClick={() => hold.mutate(able('hold'))}>Hold{count('hold')}</Button>}
          {can('release') && <Button size="sm" onClick={() => decideLater(queries, request, able('release'), 'release')}>Release{count('release')}</Button>}
          {able('ask').length > 1 && <span className="small dim">To narrow or to ask, leave one ticked.</span>}
        </div>
      )}
    </li>
  )
}

/** The time left to decide. What is held is not lost meanwhile: nothing counts down. */
function Lasts({ held, at }: { held: boolean; at: string | null }) {
  const zone = useZone()
  if (held) return <div className="card-lasts"><span className="hold"><IconLock size={15} aria-hidden />{heldText(at, zone)}</span></div>
  const over = at && new Date(at) <= new Date()
  return <div className="card-lasts">{at && <DiesIn at={at} />}<span className="small dim">{!at ? 'retention not known' : over ? 'by the recorder' : 'until it is overwritten'}</span></div>
}

/** What else was asked of the same camera around the same minutes. */
function AlsoAsked({ item, request }: { item: Item; request: VideoRequest }) {
  const filter = { source_id: item.source?.id, from: item.from, to: item.to }
  const { data } = useQuery({ ...overlapping(filter), enabled: !!item.source, retry: false })
  const others = (data ?? []).filter((r) => r.id !== request.id)
  if (others.length === 0) return null
  return <span className="also">{plural(others.length, 'other request')} for these minutes: {others.slice(0, 3).map((r) => <Link key={r.id} to="/requests/$id" params={{ id: r.id }}>{r.number} </Link>)}</span>
}
