import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useOnce } from '~/api/once.ts'
import { asTrouble } from '~/api/problem.ts'
import type { Position } from '~/api/types.ts'
import { openCases } from '~/features/cases/api.ts'
import { useMe, useZone } from '~/features/session/me.ts'
import type { ChosenSet } from '~/features/sources/Chosen.tsx'
import { plural } from '~/lib/format.ts'
import { useDraft } from '~/lib/draft.ts'
import { addSeconds, duration } from '~/lib/time.ts'
import { DateTimeField } from '~/ui/DateTimeField.tsx'
import { Note, TroubleNote } from '~/ui/Notes.tsx'
import { Sheet } from '~/ui/Sheet.tsx'
import { useTroubleInSight } from '~/ui/sight.ts'
import { tell } from '~/ui/Toasts.tsx'
import { WindowField } from '~/ui/WindowField.tsx'
import { oneRequest, submitRequest } from './api.ts'
import { AskedItem } from './AskedItem.tsx'
import { NotLoaded } from './NotLoaded.tsx'
import { WhatFollows } from './WhatFollows.tsx'
import './requests.css'

const CATEGORIES = ['Assault', 'Burglary', 'Missing person', 'Robbery', 'Theft', 'Traffic collision', 'Vandalism', 'Other']

interface Draft {
  window: { from: string; to: string }; own: Record<string, { from: string; to: string }>; neededBy: string | null
  entered: { name: string; category: string; reason: string; number: string; address: string; case_id: string }
}

/** What is asked of the chosen cameras: the form, the windows, what is covered, who decides, what happens next. */
export function RequestSheet({ chosen, near, place, onClose }: { chosen: ChosenSet; near: Position | null; place?: string; onClose: () => void }) {
  const { sources } = chosen
  const me = useMe()
  const zone = useZone()
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { data: cases } = useQuery(openCases)
  const [now] = useState(() => new Date(Math.floor(Date.now() / 60_000) * 60_000).toISOString())
  const submit = useOnce(submitRequest)
  const start = (): Draft => ({
    window: { from: addSeconds(now, -120), to: now }, own: {}, neededBy: null, entered: { name: '', category: '', reason: '', number: '', address: place ?? '', case_id: '' },
  })
  const draft = useDraft(`request ${me.account.id}`, start)
  const { window, own, entered, neededBy } = draft.value
  const put = (patch: Partial<Draft>) => draft.change((d) => ({ ...d, ...patch }))
  const longest = me.installation.longest_window_seconds
  const placeOnly = chosen.ids.size === 0
  // What is sent is what was chosen: all of it, or what somebody decided to leave of it.
  const isWhole = sources.length === chosen.ids.size
  const field = (name: keyof typeof entered) => ({ value: entered[name], onChange: (e: { currentTarget: { value: string } }) => put({ entered: { ...entered, [name]: e.currentTarget.value } }) })

  const send = useMutation({
    mutationFn: () => submit({
      name: entered.name.trim(), category: entered.category || undefined, reason: entered.reason.trim() || undefined,
      incident: { number: entered.number.trim() || undefined, ...window, position: near ?? undefined, address: entered.address.trim() || undefined },
      needed_by: neededBy ?? undefined, case_id: entered.case_id || undefined,
      items: placeOnly ? [window] : sources.map((s) => ({ source_id: s.id, ...(own[s.id] ?? window) })),
    }),
    onSuccess: ({ made: request, earlier }) => {
      queries.setQueryData(oneRequest(request.id).queryKey, request)
      void queries.invalidateQueries({ queryKey: ['video-requests', 'list'] })
      draft.forget(start())
      chosen.clear()
      tell(earlier ? `Your request had arrived: ${request.number}. It stands as it was sent first, without what you changed since.` : `Request ${request.number} is sent.`)
      void navigate({ to: '/requests/$id', params: { id: request.id } })
    },
    // One of the cameras may not be there any more: the form then says so.
    onError: (error) => { if (asTrouble(error).status === 404) chosen.again() },
  })
  const trouble = send.error ? asTrouble(send.error) : null
  // What is said of the camera says it all.
  const isOfLost = trouble?.status === 404 && chosen.lost.some((camera) => camera.gone)
  const form = useTroubleInSight(isOfLost || send.error)
  const press = (event: FormEvent) => { event.preventDefault(); if (isWhole) send.mutate() }
  return (
    <Sheet opened onClose={onClose} size={560} title="Request video" under={placeOnly ? 'For a place, without a camera of the registry' : `From ${plural(chosen.ids.size, 'camera')}`}
      foot={<><Button size="sm" type="submit" form="request-form" loading={send.isPending} disabled={!isWhole}>Send request</Button><Button size="sm" variant="default" onClick={onClose}>Not now</Button></>}>
      <form ref={form} id="request-form" className="stack wide" onSubmit={press}>
        {draft.found && <Note><span className="row wrap">What you had begun is here again. <Button variant="default" onClick={() => draft.forget(start())}>Begin anew</Button></span></Note>}
        <NotLoaded of={{ ...chosen, leaveOut: (ids) => { send.reset(); chosen.leaveOut(ids) } }} />
        <div className="fields">
          <TextInput className="all" label="What is it about" placeholder="Robbery at Main St, two on a moped" required withAsterisk={false} data-autofocus error={trouble?.field('/name')} {...field('name')} />
          <NativeSelect label="Category" data={[{ value: '', label: 'None' }, ...CATEGORIES]} error={trouble?.field('/category')} {...field('category')} />
          <TextInput label="Incident number" error={trouble?.field('/incident/number')} {...field('number')} />
          <TextInput className="all" label="Where it happened" error={trouble?.field('/incident/address')} {...field('address')} />
          <Textarea className="all" label="Why you ask" description="The owner of the cameras reads this to decide." error={trouble?.field('/reason')} {...field('reason')} />
        </div>
        <fieldset className="stack">
          <legend><h3>Which minutes</h3></legend>
          <WindowField {...window} zone={zone} longest={longest} onChange={(from, to) => put({ window: { from, to } })} error={trouble?.field('/incident/from') ?? trouble?.field('/incident/to')} />
          <p className="dim small">At most {duration(longest * 1000)} per camera.</p>
        </fieldset>
        {!placeOnly && (
          <fieldset className="stack">
            <legend><h3>From which cameras</h3></legend>
            {sources.map((source, index) => (
              <AskedItem key={source.id} source={source} window={own[source.id] ?? window} isOwn={!!own[source.id]} zone={zone} longest={longest}
                error={trouble?.field(`/items/${index}/source_id`) ?? trouble?.field(`/items/${index}/from`) ?? trouble?.field(`/items/${index}/to`) ?? trouble?.field(`/items/${index}`)}
                onWindow={(w) => { const { [source.id]: _, ...rest } = own; put({ own: w ? { ...rest, [source.id]: w } : rest }) }} onRemove={() => chosen.toggle(source.id)} />
            ))}
          </fieldset>
        )}
        <details className="stack" open={!!(trouble?.field('/case_id') ?? trouble?.field('/needed_by')) || undefined}>
          <summary>Case and deadline</summary>
          <div className="fields" style={{ marginTop: 8 }}>
            <NativeSelect label="Case" error={trouble?.field('/case_id')} {...field('case_id')} data={[{ value: '', label: 'A new one, on approval' }, ...(cases ?? []).map((c) => ({ value: c.id, label: `${c.number} ${c.name}` }))]} />
            <DateTimeField label="Needed by" zone={zone} value={neededBy} onChange={(at) => put({ neededBy: at })} clearable error={trouble?.field('/needed_by')} />
          </div>
        </details>
        {isWhole && <WhatFollows sources={sources} />}
        {trouble && !isOfLost && <TroubleNote error={trouble} />}
      </form>
    </Sheet>
  )
}

