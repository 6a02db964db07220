import { Button, Checkbox, NativeSelect, NumberInput, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useOnce } from '~/api/once.ts'
import { asTrouble } from '~/api/problem.ts'
import type { Camera, CameraFields, Position } from '~/api/types.ts'
import { useMe } from '~/features/session/me.ts'
import { clockOffset } from '~/lib/format.ts'
import { Overtaken, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { useOpened } from '~/ui/opened.ts'
import { Sheet } from '~/ui/Sheet.tsx'
import { useTroubleInSight } from '~/ui/sight.ts'
import { tell } from '~/ui/Toasts.tsx'
import { changeCamera, createCamera, oneCamera, organizationList, putThumbnail } from './api.ts'
import { CustomFields } from './CustomFields.tsx'
import { PictureField } from './PictureField.tsx'

/** Makes a camera, or changes one: only what was touched is sent. */
export function CameraForm({ id, at, onClose }: { id?: string; at: Position | null; onClose: (id?: string) => void }) {
  const { data: camera } = useQuery({ ...oneCamera(id ?? ''), enabled: !!id })
  if (id && !camera) return <Sheet opened onClose={() => onClose()} title="Camera"><RowsToCome /></Sheet>
  return <Form camera={camera} at={at} onClose={onClose} />
}

type Num = number | null
const bothOf = (position: Position | null | undefined): { lat: Num; lon: Num } => ({ lat: position?.lat ?? null, lon: position?.lon ?? null })
const num = (value: string | number): Num => (value === '' || Number.isNaN(Number(value)) ? null : Number(value))

function Form({ camera: known, at, onClose }: { camera?: Camera; at: Position | null; onClose: (id?: string) => void }) {
  const me = useMe()
  const queries = useQueryClient()
  const { data: organizations } = useQuery(organizationList)
  // A camera that was saved, but not its picture, is not made a second time.
  const { opened: camera, keep, theirs, load } = useOpened(known, (of) => queries.fetchQuery({ ...oneCamera(of.id), staleTime: 0 }))
  const [picture, setPicture] = useState<Blob | null>(null)
  const [touched, setTouched] = useState<CameraFields>(camera ? {} : { organization_id: me.account.organization.id, position: at, published: true })
  const now: CameraFields = { ...(camera as CameraFields | undefined), ...touched }
  // The further fields have rows of their own: those of this version.
  const [customOf, setCustomOf] = useState(known?.version)
  const put = (patch: CameraFields) => setTouched((t) => ({ ...t, ...patch }))
  const paint = useMutation({ mutationFn: ({ id, jpeg }: { id: string; jpeg: Blob }) => putThumbnail(id, jpeg) })
  const create = useOnce(createCamera)
  const save = useMutation({
    mutationFn: async () => {
      const kept = !camera ? await made() : Object.keys(touched).length > 0 ? await changeCamera(camera.id, camera.version, touched) : camera
      keep(kept)
      setTouched({})
      return picture ? paint.mutateAsync({ id: kept.id, jpeg: picture }) : kept
    },
    onSuccess: (done) => {
      queries.setQueryData(oneCamera(done.id).queryKey, done)
      tell(`${done.name} is ${known ? 'changed' : 'in the registry'}.`)
      onClose(done.id)
    },
    onSettled: () => void queries.invalidateQueries({ queryKey: ['sources'] }),
  })
  /** A new camera. One that had been made before its answer was lost is changed to what the form says now. */
  async function made() {
    const { made, earlier } = await create(touched)
    const { organization_id: _, ...rest } = touched
    return earlier ? changeCamera(made.id, made.version, rest) : made
  }
  function loaded(fresh: Camera) {
    if (!('custom' in touched)) setCustomOf(fresh.version)
    if (!('position' in touched)) setHalf(bothOf(fresh.position))
    save.reset()
  }
  const trouble = save.error && save.error !== paint.error ? asTrouble(save.error) : null
  const form = useTroubleInSight(save.error ?? theirs)
  const wrong = (field: string) => trouble?.field(`/${field}`) ?? theirs[field]
  const submit = (event: FormEvent) => { event.preventDefault(); save.mutate() }
  const text = (field: 'name' | 'description' | 'site' | 'device_id' | 'address' | 'make' | 'model') => ({
    value: (now[field] as string | null | undefined) ?? '', error: wrong(field),
    onChange: (e: { currentTarget: { value: string } }) => put({ [field]: e.currentTarget.value || (field === 'name' ? '' : null) }),
  })
  const number = (field: 'bearing_deg' | 'fov_deg' | 'range_m' | 'tilt_deg' | 'mounting_height_m' | 'retention_hours' | 'clock_offset_ms' | 'clock_uncertainty_ms', suffix: string) => ({
    value: (now[field] as Num | undefined) ?? '', error: wrong(field), suffix, placeholder: suffix.trim(), onChange: (v: string | number) => put({ [field]: num(v) }),
  })
  // Half a position is none: while one number is missing, the browser keeps the form from being sent.
  const [half, setHalf] = useState(bothOf(now.position))
  const place = (key: 'lat' | 'lon') => ({
    value: half[key] ?? '', decimalScale: 7, required: half.lat !== null || half.lon !== null, withAsterisk: false,
    onChange: (v: string | number) => {
      const next = { ...half, [key]: num(v) }
      const { lat, lon } = next
      setHalf(next)
      put({ position: lat === null || lon === null ? null : { lat, lon } })
    },
  })
  const atRecorder = camera?.clock_by === 'connector'
  return (
    <Sheet opened onClose={() => onClose()} title={camera ? `Edit ${camera.name}` : 'New camera'} size={520}
      foot={<><Button size="sm" type="submit" form="camera-form" loading={save.isPending}>{camera ? 'Save' : 'Add camera'}</Button><Button size="sm" variant="default" onClick={() => onClose()}>Discard</Button></>}>
      <form ref={form} id="camera-form" className="stack wide" onSubmit={submit}>
        <div className="fields">
          <TextInput className="all" label="Name" required withAsterisk={false} data-autofocus {...text('name')} />
          <NativeSelect className="all" label="Organization" disabled={!!camera} value={now.organization_id ?? camera?.organization.id} error={wrong('organization_id')}
            data={(organizations ?? []).map((o) => ({ value: o.id, label: o.name }))} onChange={(e) => put({ organization_id: e.currentTarget.value })} />
          <TextInput className="all" label="Address" {...text('address')} />
          <NumberInput label="Latitude" {...place('lat')} error={wrong('position/lat') ?? wrong('position')} />
          <NumberInput label="Longitude" {...place('lon')} error={wrong('position/lon')} />
          <PictureField has={camera?.thumbnail_url ?? null} onPick={setPicture} error={paint.error ? `The camera is saved, its picture is not. ${asTrouble(paint.error).detail}` : undefined} />
        </div>
        <hr className="rule" />
        <div className="fields">
          <NumberInput label="Looks towards" description="Clockwise from north" {...number('bearing_deg', '°')} />
          <NumberInput label="Field of view" description="How wide it sees" {...number('fov_deg', '°')} />
          <NumberInput label="Useful range" {...number('range_m', ' m')} />
          <NativeSelect label="Type" value={now.type ?? ''} onChange={(e) => put({ type: (e.currentTarget.value || null) as CameraFields['type'] })} error={wrong('type')}
            data={[{ value: '', label: 'Not known' }, { value: 'fixed', label: 'Fixed' }, { value: 'panning', label: 'Panning' }, { value: 'dome', label: 'Dome' }]} />
          <NumberInput label="Mounting height" {...number('mounting_height_m', ' m')} />
          <NumberInput label="Tilt" {...number('tilt_deg', '°')} />
        </div>
        <hr className="rule" />
        <div className="fields">
          <NumberInput label="Keeps recordings for" {...number('retention_hours', ' h')} />
          <TextInput label="Site" {...text('site')} />
          <TextInput label="Make" {...text('make')} />
          <TextInput label="Model" {...text('model')} />
          <TextInput className="all" label="Device id" description="Its name in the recorder" {...text('device_id')} />
          <TagsInput className="all" label="Tags" value={now.tags ?? []} onChange={(tags) => put({ tags })} error={wrong('tags')} />
          <Textarea className="all" label="Description" {...text('description')} />
          <Checkbox className="all" label="Published: visible to those who may search the registry" error={wrong('published')} checked={now.published ?? false} onChange={(e) => put({ published: e.currentTarget.checked })} />
        </div>
        <hr className="rule" />
        <fieldset className="stack" aria-describedby="clock-sign">
          <legend><h3>Its clock</h3></legend>
          {atRecorder ? (
            <p id="clock-sign" className="small">
              {camera.clock_offset_ms === null ? 'How far it is off is not known.' : `It is ${clockOffset(camera.clock_offset_ms)}, measured beside the recorder.`} Its footage is exported by what the connector says: to set it,
              write <code>clock_offset_ms</code> of this camera into the connector’s file.
            </p>
          ) : (
            <>
              <p id="clock-sign" className="dim small">What the recorder’s clock shows minus true time: 4000 ms when it shows 12:00:04 at noon, −4000 ms when it shows 11:59:56.</p>
              <div className="fields">
                <NumberInput label="Clock offset" allowDecimal={false} {...number('clock_offset_ms', ' ms')} />
                <NumberInput label="Uncertainty" prefix="± " allowDecimal={false} allowNegative={false} {...number('clock_uncertainty_ms', ' ms')} />
              </div>
            </>
          )}
        </fieldset>
        <hr className="rule" />
        <CustomFields key={customOf} start={now.custom ?? {}} onChange={(custom) => put({ custom })} error={wrong('custom')} />
        {trouble?.status === 412 && camera ? <Overtaken what="this camera" loading={load.isPending} onLoad={() => load.mutate({ of: camera, touched }, { onSuccess: loaded })} /> : trouble && <TroubleNote error={trouble} />}
      </form>
    </Sheet>
  )
}
