import { Button } from '@mantine/core'
import { IconFolder, IconX } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useMemo, useState } from 'react'
import type { VideoRequest } from '~/api/types.ts'
import { useMe, useZone } from '~/features/session/me.ts'
import { coordinates, plural } from '~/lib/format.ts'
import { LazyMap } from '~/map/LazyMap.tsx'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Facts, Page } from '~/ui/Page.tsx'
import { Status } from '~/ui/Status.tsx'
import { Ago, DiesIn, Time, Window } from '~/ui/Time.tsx'
import { tellTrouble } from '~/ui/Toasts.tsx'
import { decideRequest, oneRequest } from './api.ts'
import { type Choice, DecisionForm } from './DecisionForm.tsx'
import { decideLater, keep } from './decide.ts'
import { ItemRow } from './ItemRow.tsx'
import { Thread } from './Thread.tsx'
import { heldText, lastsUntil } from './words.ts'
import './requests.css'

const NONE = new Set<string>()

export function RequestPage() {
  const { id } = useParams({ strict: false }) as { id: string }
  const { data: request, error, refetch } = useQuery(oneRequest(id))
  if (error && !request) return <Page title="Request" narrow><TroubleNote error={error} retry={() => refetch()} /></Page>
  if (!request) return <Page title="Request"><RowsToCome /></Page>
  return <Body request={request} />
}

function Body({ request }: { request: VideoRequest }) {
  const queries = useQueryClient()
  const zone = useZone()
  const [choice, setChoice] = useState<Choice | null>(null)
  const decidable = request.items.filter((item) => item.allowed_actions.includes('approve'))
  const lasts = request.open ? lastsUntil(request.items) : null
  const can = (verb: VideoRequest['allowed_actions'][number]) => request.allowed_actions.includes(verb)
  const cancel = useMutation({ mutationFn: () => decideRequest(request.id, 'cancel'), onSuccess: (fresh) => keep(queries, fresh), onError: tellTrouble })
  return (
    <Page title={`${request.number} ${request.name}`}
      heading={<><span className="dim num" style={{ fontWeight: 500 }}>{request.number}</span> {request.name}</>}
      under={<span className="row wrap under-line">
        <Status of={request.status} />
        <span>asked by <strong>{request.requester.name}</strong>, {request.requester.organization.name}, <Ago at={request.created_at} /></span>
        {lasts?.held ? <span>{heldText(lasts.at, zone)}</span> : lasts?.at && <span><DiesIn at={lasts.at} prefix="first footage dies in " /></span>}
      </span>}
      actions={<>
        {request.case_id && <Button component={Link} to={`/cases/${request.case_id}`} variant="default" leftSection={<IconFolder size={14} />}>Open the case</Button>}
        {can('cancel') && <ConfirmButton label="Cancel request" icon={<IconX size={14} />} verb="Cancel request" onConfirm={() => cancel.mutate()} question="All items that are still open are canceled, and their owners are told." />}
        {decidable.length > 1 && <Button variant="default" onClick={() => setChoice('deny')}>Deny all {decidable.length}</Button>}
        {decidable.length > 1 && <Button onClick={() => setChoice('approve')}>Approve all {decidable.length}</Button>}
      </>}>
      {choice && (
        <div className="panel pad" style={{ marginBottom: 16 }}>
          <DecisionForm key={choice} choice={choice} items={decidable} onSaid={() => setChoice(null)} onClose={() => setChoice(null)}
            onDecide={(verb, body, onSent) => { setChoice(null); decideLater(queries, request, decidable, verb, body, onSent) }} />
        </div>
      )}
      <div className="req-grid">
        <section className="panel items" aria-label={plural(request.items.length, 'item')}>
          {request.items.map((item) => <ItemRow key={item.id} item={item} request={request} />)}
        </section>
        <aside className="stack wide">
          <About request={request} />
          <hr className="rule" />
          <Thread key={request.id} request={request} />
        </aside>
      </div>
    </Page>
  )
}

function About({ request }: { request: VideoRequest }) {
  const me = useMe()
  const { position, address } = request.incident
  const target = useMemo(() => (position ? { at: position, zoom: 15.5, key: 'incident' } : null), [position?.lat, position?.lon])
  return (
    <section className="stack wide" aria-label="About">
      {position && (
        <div className="mini-map">
          <LazyMap sources={[]} chosen={NONE} hover={null} near={position} radius={60} target={target} hasStreets={me.installation.has_streets} still label="Where it happened" />
        </div>
      )}
      <Facts of={[
        ['Where', address ?? (position ? coordinates(position.lat, position.lon) : null)],
        ['Incident', request.incident.number],
        ['When', <Window key="w" from={request.incident.from} to={request.incident.to} />],
        ['Category', request.category],
        ['Why', request.reason && <span style={{ whiteSpace: 'pre-wrap' }}>{request.reason}</span>],
        ['Needed by', request.needed_by && <Time key="n" at={request.needed_by} />],
        ['Asked', <Time key="a" at={request.created_at} />],
      ]} />
    </section>
  )
}
