import { Button, CloseButton, Checkbox, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconPlus, IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Position } from '~/api/types.ts'
import { may, useMe } from '~/features/session/me.ts'
import { plural } from '~/lib/format.ts'
import type { Address } from '~/lib/search.ts'
import { organizationList } from './api.ts'
import { PlaceSearch } from './PlaceSearch.tsx'

const REACH = [50, 100, 150, 250, 500, 1000, 2000]

/** `mapSeen`: there is a map, or there was one; before that the list cannot follow it. */
export function SourceFilters({ address, set, near, radius, follows, mapSeen, total, loading, onFly }: {
  address: Address; set: (patch: Address, replace?: boolean) => void; near: Position | null; radius: number; follows: boolean; mapSeen: boolean; total: number; loading: boolean
  onFly: (at: Position) => void
}) {
  const me = useMe()
  const { data: organizations } = useQuery(organizationList)
  const [q, setQ] = useState(address.q ?? '')
  useEffect(() => setQ(address.q ?? ''), [address.q])
  const send = useDebouncedCallback((text: string) => set({ q: text }), 250)
  return (
    <div className="reg-filters">
      <div className="row">
        <div className="grow">
          <PlaceSearch value={address.place ?? (near ? `${near.lat}, ${near.lon}` : '')}
            onPick={(place) => set({ near: `${place.position.lat.toFixed(5)},${place.position.lon.toFixed(5)}`, place: place.name, bbox: '' }, false)}
            onClear={() => { if (near) onFly(near); set({ near: '', place: '', r: '' }) }} />
        </div>
        {near && (
          <NativeSelect aria-label="Reach" w={92} value={String(radius)} onChange={(e) => set({ r: e.currentTarget.value })}
            data={[...new Set([...REACH, radius])].sort((a, b) => a - b).map((m) => ({ value: String(m), label: m < 1000 ? `${m} m` : `${m / 1000} km` }))} />
        )}
      </div>
      <div className="row">
        <TextInput className="grow" aria-label="Search cameras" placeholder="Name, address, tag" leftSection={<IconSearch size={16} aria-hidden />} value={q}
          onChange={(e) => { setQ(e.currentTarget.value); send(e.currentTarget.value) }}
          rightSection={q ? <CloseButton size="sm" aria-label="Clear search" onClick={() => { setQ(''); set({ q: '' }) }} /> : null} />
        <NativeSelect aria-label="Status" w={132} value={address.status ?? ''} onChange={(e) => set({ status: e.currentTarget.value })}
          data={[{ value: '', label: 'Any status' }, { value: 'online', label: 'Online' }, { value: 'offline', label: 'Offline' }, { value: 'unknown', label: 'Unknown' }, { value: 'vanished', label: 'No longer reported' }]} />
      </div>
      <div className="row">
        <NativeSelect className="grow" aria-label="Organization" value={address.org ?? ''} onChange={(e) => set({ org: e.currentTarget.value })}
          data={[{ value: '', label: 'All organizations' }, ...(organizations ?? []).map((o) => ({ value: o.id, label: o.name }))]} />
        {may(me, 'manage_registry') && (
          <Button className="wide-only" h={36} variant="default" leftSection={<IconPlus size={14} />} onClick={() => set({ sheet: 'new' }, false)}>New camera</Button>
        )}
      </div>
      <div className="row reg-count">
        <strong className="num" role="status" style={{ opacity: loading ? 0.6 : 1 }}>{plural(total, 'camera')}</strong>
        {address.tag && <Button variant="default" onClick={() => set({ tag: '' })} rightSection={<span aria-hidden>×</span>}>tag: {address.tag}</Button>}
        {near ? <span className="dim">nearest first</span>
          : follows && !mapSeen ? <span className="dim">everywhere, until you look at the map</span>
            : <Checkbox label="Only what the map shows" checked={follows} onChange={(e) => set({ follow: e.currentTarget.checked ? '' : 'no' })} />}
      </div>
    </div>
  )
}
