import { CloseButton, NativeSelect, TextInput, Button } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconInbox, IconSearch } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { may, useMe, useZone } from '~/features/session/me.ts'
import { plural } from '~/lib/format.ts'
import { useRowKeys } from '~/lib/keys.ts'
import { useAddress } from '~/lib/search.ts'
import { More } from '~/ui/More.tsx'
import { Empty, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { look, Status } from '~/ui/Status.tsx'
import { Ago, DiesIn } from '~/ui/Time.tsx'
import { day, span, utc } from '~/lib/time.ts'
import { type RequestFilter, requestCount, requestList } from './api.ts'
import './requests.css'

const STATUSES = ['pending', 'processing', 'completed', 'partially_completed', 'denied', 'video_unavailable', 'failed', 'expired', 'canceled']

export function Requests() {
  const me = useMe()
  const zone = useZone()
  const navigate = useNavigate()
  const [address, set] = useAddress()
  const seesAll = may(me, 'view_all_requests') || may(me, 'approve_requests')
  const tab = address.tab ?? (may(me, 'submit_requests') && !may(me, 'manage_settings') ? 'mine' : 'all')
  const base: RequestFilter = { mine: tab === 'mine' || !seesAll, q: address.q, source_id: address.source, case_id: address.case }
  const filter: RequestFilter = { ...base, status: address.status, sort: address.sort ?? '-created_at' }
  const query = useInfiniteQuery(requestList(filter))
  const rows = query.data?.pages.flatMap((p) => p.items) ?? []
  const open = (index: number) => { const row = rows[index]; if (row) void navigate({ to: '/requests/$id', params: { id: row.id } }) }
  const [at, setAt] = useRowKeys(rows.length, open)
  const [q, setQ] = useState(address.q ?? '')
  useEffect(() => setQ(address.q ?? ''), [address.q])
  const send = useDebouncedCallback((text: string) => set({ q: text }), 250)
  const picked = new Set(address.status?.split(',') ?? [])
  const toggle = (status: string) => {
    const next = new Set(picked)
    if (!next.delete(status)) next.add(status)
    set({ status: [...next].join(',') })
  }
  return (
    <Page title="Requests" actions={may(me, 'submit_requests') && <Button component={Link} to="/registry" variant="default">New request from the registry</Button>}>
      {seesAll && (
        <nav className="tabs" aria-label="Whose requests">
          <Link to="/requests" search={{ tab: 'mine' } as never} aria-current={tab === 'mine' ? 'page' : undefined}>My requests</Link>
          <Link to="/requests" search={{ tab: 'all' } as never} aria-current={tab === 'all' ? 'page' : undefined}>All requests</Link>
        </nav>
      )}
      <div className="filters">
        <TextInput className="search" aria-label="Search requests" placeholder="Number, name, incident, person" leftSection={<IconSearch size={16} aria-hidden />} value={q}
          onChange={(e) => { setQ(e.currentTarget.value); send(e.currentTarget.value) }}
          rightSection={q ? <CloseButton size="sm" aria-label="Clear search" onClick={() => { setQ(''); set({ q: '' }) }} /> : null} />
        <div className="chips" role="group" aria-label="Status">
          {STATUSES.map((status) => <StatusChip key={status} status={status} filter={base} on={picked.has(status)} onClick={() => toggle(status)} />)}
        </div>
        <NativeSelect className="push" aria-label="Order" value={address.sort ?? '-created_at'} onChange={(e) => set({ sort: e.currentTarget.value })}
          data={[{ value: '-created_at', label: 'Newest first' }, { value: 'overwrite_at', label: 'Dies first' }, { value: 'needed_by', label: 'Needed first' }]} />
        {(address.source || address.case) && <Button variant="default" onClick={() => set({ source: '', case: '' })}>{address.source ? 'One camera only' : 'One case only'} ×</Button>}
      </div>
      {query.error ? <TroubleNote error={query.error} retry={() => query.refetch()} /> : query.isPending ? <div className="table-wrap"><RowsToCome /></div> : rows.length === 0 ? (
        <div className="table-wrap">
          {address.q || address.status ? (
            <Empty icon={IconInbox} title="No request matches" action={<Button variant="default" onClick={() => set({ q: '', status: '', source: '', case: '' })}>Drop the filters</Button>}>Other words or another status may find it.</Empty>
          ) : (
            <Empty icon={IconInbox} title="No requests yet" action={may(me, 'submit_requests') && <Button component={Link} to="/registry">Choose cameras</Button>}>
              Find the place in the registry, choose the cameras that could have seen it, and ask for the minutes.
            </Empty>
          )}
        </div>
      ) : (
        <div className="table-wrap">
          <table className="table">
            <thead><tr><th>Number</th><th>About</th><th>Status</th><th>Asked by</th><th>Minutes</th><th className="right">Dies in</th><th>Asked</th></tr></thead>
            <tbody>
              {rows.map((r, i) => (
                <tr key={r.id} data-href data-at={i === at} onClick={(e) => { if (!(e.target as HTMLElement).closest('a')) { setAt(i); open(i) } }}>
                  <td className="num"><Link to="/requests/$id" params={{ id: r.id }} className="main">{r.number}</Link></td>
                  <td style={{ minWidth: 180 }}><div><div className="main">{r.name}</div><div className="dim small cut" style={{ maxWidth: 360 }}>{[r.category, r.incident.address, plural(r.item_count, 'item')].filter(Boolean).join(' · ')}</div></div></td>
                  <td><Status of={r.status} /></td>
                  <td data-label="Asked by"><div>{r.requester.name}<div className="dim small cut" style={{ maxWidth: 150 }}>{r.requester.organization.name}</div></div></td>
                  <td data-label="Minutes"><div className="num" title={`${utc(r.incident.from)} – ${utc(r.incident.to)}`}>{day(r.incident.from, zone)}<div className="small dim">{span(r.incident.from, r.incident.to, zone).slice(day(r.incident.from, zone).length + 2)}</div></div></td>
                  <td data-label="Dies in" data-empty={!r.open || undefined} className="right">{r.open ? <DiesIn at={r.overwrite_at} /> : <span className="dim">–</span>}</td>
                  <td data-label="Asked" className="dim"><Ago at={r.created_at} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <More query={query} />
      <p className="dim small keys-hint" style={{ marginTop: 8 }}><span className="kbd">j</span> <span className="kbd">k</span> to move, <span className="kbd">Enter</span> to open</p>
    </Page>
  )
}

function StatusChip({ status, filter, on, onClick }: { status: string; filter: RequestFilter; on: boolean; onClick: () => void }) {
  const { data } = useQuery(requestCount({ ...filter, status }))
  const { word, tone, icon: Icon } = look(status)
  if (!on && data === 0) return null
  return (
    <button type="button" className="chip" aria-pressed={on} onClick={onClick}>
      <Icon size={14} className={`tone-${tone}`} aria-hidden /> {word} <span className="count">{data ?? ''}</span>
    </button>
  )
}
