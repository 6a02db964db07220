import { Button, Checkbox, NativeSelect, NumberInput, TagsInput, Textarea, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { asTrouble } from '~/api/problem.ts'
import type { Camera, CameraFields, Position } from '~/api/types.ts'
import { useMe } from '~/features/session/me.ts'
import { RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Sheet } from '~/ui/Sheet.tsx'
import { tell } from '~/ui/Toasts.tsx'
import { changeCamera, createCamera, oneCamera, organizationList } from './api.ts'

/** Makes a camera, or changes one: only what was touched is sent. */
export function CameraForm({ id, at, onClose }: { id?: string; at: Position | null; onClose: (id?: string) => void }) {
  const { data: camera } = useQuery({ ...oneCamera(id ?? ''), enabled: !!id })
  if (id && !camera) return <Sheet opened onClose={() => onClose()} title="Camera"><RowsToCome /></Sheet>
  return <Form camera={camera} at={at} onClose={onClose} />
}

type Num = number | null
const num = (value: string | number): Num => (value === '' || Number.isNaN(Number(value)) ? null : Number(value))

function Form({ camera, at, onClose }: { camera?: Camera; at: Position | null; onClose: (id?: string) => void }) {
  const me = useMe()
  const queries = useQueryClient()
  const { data: organizations } = useQuery(organizationList)
  const [touched, setTouched] = useState<CameraFields>(camera ? {} : { organization_id: me.account.organization.id, position: at })
  const now: CameraFields = { ...(camera as CameraFields | undefined), ...touched }
  const put = (patch: CameraFields) => setTouched((t) => ({ ...t, ...patch }))
  const save = useMutation({
    mutationFn: () => (camera ? changeCamera(camera.id, camera.version, touched) : createCamera(touched)),
    onSuccess: (saved) => {
      queries.setQueryData(oneCamera(saved.id).queryKey, saved)
      void queries.invalidateQueries({ queryKey: ['sources'] })
      tell(`${saved.name} is ${camera ? 'changed' : 'in the registry'}.`)
      onClose(saved.id)
    },
  })
  const trouble = save.error ? asTrouble(save.error) : null
  const wrong = (field: string) => trouble?.field(`/${field}`)
  const submit = (event: FormEvent) => { event.preventDefault(); save.mutate() }
  const text = (field: 'name' | 'description' | 'site' | 'device_id' | 'address' | 'make' | 'model') => ({
    value: (now[field] as string | null | undefined) ?? '', error: wrong(field),
    onChange: (e: { currentTarget: { value: string } }) => put({ [field]: e.currentTarget.value || (field === 'name' ? '' : null) }),
  })
  const number = (field: 'bearing_deg' | 'fov_deg' | 'range_m' | 'tilt_deg' | 'mounting_height_m' | 'retention_hours', suffix: string) => ({
    value: (now[field] as Num | undefined) ?? '', error: wrong(field), suffix, onChange: (v: string | number) => put({ [field]: num(v) }),
  })
  const place = (key: 'lat' | 'lon') => (v: string | number) => {
    const n = num(v)
    const other = key === 'lat' ? now.position?.lon : now.position?.lat
    if (n === null && other === undefined) return put({ position: null })
    put({ position: { lat: now.position?.lat ?? 0, lon: now.position?.lon ?? 0, [key]: n ?? 0 } })
  }
  return (
    <Sheet opened onClose={() => onClose()} title={camera ? `Edit ${camera.name}` : 'New camera'} size={520}
      foot={<><Button size="sm" type="submit" form="camera-form" loading={save.isPending}>{camera ? 'Save' : 'Add camera'}</Button><Button size="sm" variant="default" onClick={() => onClose()}>Discard</Button></>}>
      <form id="camera-form" className="stack wide" onSubmit={submit}>
        <div className="fields">
          <TextInput className="all" label="Name" required withAsterisk={false} data-autofocus {...text('name')} />
          <NativeSelect className="all" label="Organization" disabled={!!camera} value={now.organization_id ?? camera?.organization.id} error={wrong('organization_id')}
            data={(organizations ?? []).map((o) => ({ value: o.id, label: o.name }))} onChange={(e) => put({ organization_id: e.currentTarget.value })} />
          <TextInput className="all" label="Address" {...text('address')} />
          <NumberInput label="Latitude" decimalScale={7} value={now.position?.lat ?? ''} onChange={place('lat')} error={wrong('position/lat') ?? wrong('position')} />
          <NumberInput label="Longitude" decimalScale={7} value={now.position?.lon ?? ''} onChange={place('lon')} error={wrong('position/lon')} />
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
          <Checkbox className="all" label="Published: visible to those who may search the registry" checked={now.published ?? true} onChange={(e) => put({ published: e.currentTarget.checked })} />
        </div>
        {trouble && <TroubleNote error={trouble} />}
      </form>
    </Sheet>
  )
}
