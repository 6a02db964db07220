import { Button, SegmentedControl } from '@mantine/core'
import { useDocumentTitle, useMediaQuery } from '@mantine/hooks'
import { useInfiniteQuery } from '@tanstack/react-query'
import { IconPlus } from '@tabler/icons-react'
import { useCallback, useMemo, useState } from 'react'
import type { Position, Source } from '~/api/types.ts'
import { may, useMe } from '~/features/session/me.ts'
import { RequestSheet } from '~/features/video-requests/RequestSheet.tsx'
import { number } from '~/lib/format.ts'
import { bounds, type Box, boxText, circle, parseBox, parsePoint } from '~/lib/geo.ts'
import { useAddress } from '~/lib/search.ts'
import { LazyMap } from '~/map/LazyMap.tsx'
import type { MapTarget } from '~/map/SourceMap.tsx'
import { TroubleNote } from '~/ui/Notes.tsx'
import { sourceList } from './api.ts'
import { CameraForm } from './CameraForm.tsx'
import { CameraSheet } from './CameraSheet.tsx'
import { ChosenBar, useChosen } from './Chosen.tsx'
import { HoverCard } from './HoverCard.tsx'
import { useInView } from './inView.ts'
import { PartNote } from './PartNote.tsx'
import { SourceFilters } from './SourceFilters.tsx'
import { SourceRows } from './SourceRows.tsx'
import './registry.css'

/** Map and list of the same cameras, in step; the address bar holds the whole search. */
export function Registry() {
  useDocumentTitle('Registry · Sightline')
  const me = useMe()
  const [address, set] = useAddress()
  const [hover, setHover] = useState<string | null>(null)
  const narrow = useMediaQuery('(max-width: 900px)', false, { getInitialValueInEffect: false })
  const view = narrow ? (address.view ?? 'list') : 'both'
  const near = parsePoint(address.near)
  const radius = Number(address.r) || 250
  const follows = address.follow !== 'no' && !near
  const { bbox, q, org, status, tag } = address

  const { query, sources, total, part } = useInView({
    q, organization_id: org, status, tag,
    bbox: near || !follows ? undefined : bbox,
    near: near ? address.near : undefined, radius_m: near ? radius : undefined,
    sort: near ? 'distance' : 'name',
  })
  const unplaced = useMemo(() => sources.filter((source) => !source.position).length, [sources])
  const chosen = useChosen(sources)

  // Where the map starts: the box of the address, the circle, what was found; where nothing was, the registry's cameras.
  const [start] = useState(() => parseBox(bbox))
  const here = useMemo(() => boxOf(sources), [sources])
  const registry = useInfiniteQuery({ ...sourceList({ sort: 'name' }), enabled: query.isSuccess && !here })
  const home = here ?? boxOf(registry.data?.pages[0]?.items ?? [])
  const [whole, setWhole] = useState<Box | null>(null)
  const coming = part?.state === 'coming'
  if (!whole && home && query.isSuccess && !coming) setWhole(home)
  const [fly, setFly] = useState<MapTarget | null>(null)
  const target = useMemo<MapTarget | null>(() => {
    if (near) return reachTarget(near, radius)
    if (fly) return fly
    if (start) return { box: start, exact: true, key: 'start' }
    return whole ? { box: whole, key: 'whole' } : null
  }, [fly, near?.lat, near?.lon, radius, start, whole])
  const searching = !target && (query.isLoading || coming || registry.isLoading)

  // Noted also while the list does not follow: it follows at once when it is told to, and where the map is not on the screen.
  const isNear = !!near
  const moved = useCallback((box: Box) => {
    if (!isNear) set({ bbox: boxText(box) })
  }, [isNear, set])

  const list = (
    <section className="reg-list" aria-label="Cameras">
      <SourceFilters address={address} set={set} near={near} radius={radius} follows={follows} mapSeen={!!bbox || view !== 'list'} total={total} loading={query.isFetching}
        onFly={(at: Position) => setFly({ at, zoom: 16.5, key: `${at.lat},${at.lon}` })} />
      <PartNote part={part} where="list" />
      {query.error && !query.data ? <div className="pad"><TroubleNote error={query.error} retry={() => query.refetch()} /></div> : (
        <SourceRows query={query} sources={sources} hover={hover} chosen={chosen.ids} onHover={setHover}
          onChoose={chosen.toggle} onOpen={(id) => set({ camera: id }, false)} filtered={!!(q || org || status || tag || near || (follows && bbox))}
          onClear={() => { setFly(home && { box: home, key: 'home' }); set({ q: '', org: '', status: '', tag: '', near: '', r: '', place: '', follow: 'no' }) }} />
      )}
    </section>
  )
  const map = (
    <div className="reg-map">
      <LazyMap sources={sources} chosen={chosen.ids} hover={hover} near={near} radius={radius} target={searching ? undefined : target} hasStreets={me.installation.has_streets}
        label="Map of cameras" onHover={setHover} onPick={chosen.toggle} onMove={moved}
        onPoint={(at) => set({ near: `${at.lat.toFixed(5)},${at.lon.toFixed(5)}`, place: '' }, false)}
        card={(source) => <HoverCard source={source} chosen={chosen.ids.has(source.id)} />} />
      <PartNote part={part} where="map" unplaced={unplaced} />
      <ChosenBar chosen={chosen} onAsk={() => set({ sheet: 'request' }, false)} canAsk={may(me, 'submit_requests')} onOpen={(id) => set({ camera: id }, false)} />
    </div>
  )
  return (
    <div className="registry">
      <h1 className="unseen">Registry</h1>
      {narrow && (
        <div className="reg-switch">
          <SegmentedControl fullWidth value={view} onChange={(v) => set({ view: v })} data={[{ value: 'list', label: part ? `List (${number(part.here)} of ${number(total)})` : `List (${number(total)})` }, { value: 'map', label: 'Map' }]} aria-label="View" />
          {may(me, 'manage_registry') && <Button variant="default" aria-label="New camera" onClick={() => set({ sheet: 'new' }, false)}><IconPlus size={16} /></Button>}
        </div>
      )}
      {view !== 'map' && list}
      {view !== 'list' && map}
      {view === 'list' && <ChosenBar chosen={chosen} onAsk={() => set({ sheet: 'request' }, false)} canAsk={may(me, 'submit_requests')} onOpen={(id) => set({ camera: id }, false)} />}
      <CameraSheet id={address.camera} chosen={chosen} onClose={() => set({ camera: '' })} onEdit={() => set({ sheet: 'edit' })} />
      {(address.sheet === 'new' || (address.sheet === 'edit' && address.camera)) && (
        <CameraForm id={address.sheet === 'edit' ? address.camera : undefined} at={near} onClose={(id) => set({ sheet: '', camera: id ?? address.camera })} />
      )}
      {address.sheet === 'request' && <RequestSheet chosen={chosen} near={near} place={address.place} onClose={() => set({ sheet: '' })} />}
    </div>
  )
}

const boxOf = (sources: Source[]) => bounds(sources.flatMap((s) => (s.position ? [s.position] : [])))

function reachTarget(near: Position, radius: number): MapTarget {
  const ring = circle(near, radius * 1.15).map(([lon, lat]) => ({ lat, lon }))
  return { box: bounds(ring) ?? undefined, key: `near ${near.lat},${near.lon},${radius}` }
}
