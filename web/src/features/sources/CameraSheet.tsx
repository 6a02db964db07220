import { Button } from '@mantine/core'
import { IconPencil, IconTrash } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { Camera } from '~/api/types.ts'
import { may, useMe } from '~/features/session/me.ts'
import { clockOffset, compass, coordinates, metres, retention, sentence } from '~/lib/format.ts'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { Copy } from '~/ui/Hash.tsx'
import { Note, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Facts } from '~/ui/Page.tsx'
import { Sheet } from '~/ui/Sheet.tsx'
import { Status } from '~/ui/Status.tsx'
import { Thumb } from '~/ui/Thumb.tsx'
import { Ago } from '~/ui/Time.tsx'
import { tell, tellTrouble } from '~/ui/Toasts.tsx'
import { deleteCamera, oneCamera } from './api.ts'
import type { ChosenSet } from './Chosen.tsx'

export function CameraSheet({ id, chosen, onClose, onEdit }: { id: string | undefined; chosen: ChosenSet; onClose: () => void; onEdit: () => void }) {
  const { data: camera, error } = useQuery({ ...oneCamera(id ?? ''), enabled: !!id })
  const queries = useQueryClient()
  const me = useMe()
  const remove = useMutation({
    mutationFn: () => deleteCamera(id ?? ''),
    onSuccess: () => { tell(`${camera?.name ?? 'The camera'} is deleted.`); void queries.invalidateQueries({ queryKey: ['sources'] }); onClose() },
    onError: tellTrouble,
  })
  const can = (action: Camera['allowed_actions'][number]) => camera?.allowed_actions.includes(action) ?? false
  return (
    <Sheet opened={!!id} onClose={onClose} title={camera?.name ?? 'Camera'} under={camera && <>{camera.organization.name}{camera.site && ` · ${camera.site}`}</>}
      foot={camera && (
        <>
          {may(me, 'submit_requests') && (
            <Button size="sm" variant={chosen.ids.has(camera.id) ? 'default' : 'filled'} onClick={() => chosen.toggle(camera.id)}>
              {chosen.ids.has(camera.id) ? 'Leave out' : 'Choose for a request'}
            </Button>
          )}
          {can('change') && <Button variant="default" leftSection={<IconPencil size={14} />} onClick={onEdit}>Edit</Button>}
          {can('remove') && (
            <ConfirmButton label="Delete" icon={<IconTrash size={14} />} verb="Delete camera" onConfirm={() => remove.mutate()}
              question={<>Takes {camera.name} out of the registry. Requests and evidence that name it stay as they are.</>} />
          )}
        </>
      )}>
      {error ? <TroubleNote error={error} /> : !camera ? <RowsToCome rows={4} height={64} /> : (
        <>
          <Thumb src={camera.thumbnail_url} alt={`What ${camera.name} sees`} width="100%" />
          {!camera.published && <Note>Not published: only those who manage the registry see this camera.</Note>}
          {camera.description && <p>{camera.description}</p>}
          <Facts of={cameraFacts(camera)} />
          {camera.tags.length > 0 && (
            <div className="chips">
              {camera.tags.map((tag) => <Link key={tag} className="chip" to="/registry" search={{ tag } as never}>{tag}</Link>)}
            </div>
          )}
          <Link to="/requests" search={{ tab: 'all', source: camera.id } as never}>Requests that ask this camera</Link>
        </>
      )}
    </Sheet>
  )
}

function cameraFacts(c: Camera): [string, React.ReactNode][] {
  const from = (field: string) => (c.origins[field] ? <span className="dim small"> · set by the {c.origins[field]}</span> : null)
  const deg = (n: number | null) => (n === null ? null : `${Math.round(n * 10) / 10}°`)
  return [
    ['Status', <span key="s" className="row wrap"><Status of={c.status} />{c.last_seen_at && <span className="dim">seen <Ago at={c.last_seen_at} /></span>}</span>],
    ['Address', c.address && <>{c.address}{from('address')}</>],
    ['Position', c.position && <span className="row wrap" style={{ gap: '0 4px' }}><span className="num">{coordinates(c.position.lat, c.position.lon)}</span><Copy value={coordinates(c.position.lat, c.position.lon)} what="Copy position" />{from('position')}</span>],
    ['Looks', c.bearing_deg !== null && <>{compass(c.bearing_deg)}{c.fov_deg !== null && `, ${deg(c.fov_deg)} wide`}{c.range_m !== null && `, useful to ${metres(c.range_m)}`}{from('bearing_deg')}</>],
    ['Mounted', (c.mounting_height_m !== null || c.tilt_deg !== null) && [c.mounting_height_m !== null && `${c.mounting_height_m} m high`, c.tilt_deg !== null && `tilted ${deg(c.tilt_deg)}`].filter(Boolean).join(', ')],
    ['Type', c.type && sentence(c.type)],
    ['Keeps', c.retention_hours !== null && <>{retention(c.retention_hours)}, then it overwrites{from('retention_hours')}</>],
    ['Its clock', c.clock_offset_ms !== null && <>{clockOffset(c.clock_offset_ms)}{c.clock_uncertainty_ms !== null && ` (± ${(c.clock_uncertainty_ms / 1000).toFixed(1)} s)`}{from('clock_offset_ms')}</>],
    ['Recorder', c.connector && <span className="row wrap">{c.connector.name ?? 'Connected'}<Status of={c.connector.online ? 'online' : 'offline'} />{!c.connector.online && c.connector.last_seen_at && <span className="dim">since <Ago at={c.connector.last_seen_at} /></span>}</span>],
    ['Make', [c.make, c.model].filter(Boolean).join(' ')],
    ['Device', c.device_id && <span className="mono">{c.device_id}</span>],
    ...Object.entries(c.custom).map(([k, v]): [string, React.ReactNode] => [k, v]),
    ['Changed', <Ago key="u" at={c.updated_at} />],
  ].map(([k, v]) => [k as string, v === false ? null : (v as React.ReactNode)])
}
