import { Button, CloseButton, NativeSelect, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconPlus, IconSearch, IconUsers } from '@tabler/icons-react'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { may, useMe } from '~/features/session/me.ts'
import { organizationList } from '~/features/sources/api.ts'
import { useRowKeys } from '~/lib/keys.ts'
import { useAddress } from '~/lib/search.ts'
import { More } from '~/ui/More.tsx'
import { Empty, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { Status } from '~/ui/Status.tsx'
import { Ago } from '~/ui/Time.tsx'
import { AccountSheet } from './AccountSheet.tsx'
import { accountList, roleList } from './api.ts'
import { PeopleTabs } from './PeopleTabs.tsx'

export function Accounts() {
  const me = useMe()
  const [address, set] = useAddress()
  const { data: organizations } = useQuery(organizationList)
  const { data: roles } = useQuery(roleList)
  const query = useInfiniteQuery(accountList({ q: address.q, organization_id: address.org }))
  const rows = query.data?.pages.flatMap((p) => p.items) ?? []
  const open = (i: number) => { const row = rows[i]; if (row) set({ id: row.id }, false) }
  const [at, setAt] = useRowKeys(rows.length, open)
  const [q, setQ] = useState(address.q ?? '')
  const send = useDebouncedCallback((text: string) => set({ q: text }), 250)
  const roleName = (role: string) => roles?.find((r) => r.role === role)?.name ?? role
  return (
    <Page title="People" actions={may(me, 'manage_accounts') && <Button leftSection={<IconPlus size={14} />} onClick={() => set({ id: 'new' }, false)}>New account</Button>}>
      <PeopleTabs at="/accounts" />
      <div className="filters">
        <TextInput className="search" aria-label="Search accounts" placeholder="Name or e-mail" leftSection={<IconSearch size={16} aria-hidden />} value={q}
          onChange={(e) => { setQ(e.currentTarget.value); send(e.currentTarget.value) }}
          rightSection={q ? <CloseButton size="sm" aria-label="Clear search" onClick={() => { setQ(''); set({ q: '' }) }} /> : null} />
        <NativeSelect aria-label="Organization" value={address.org ?? ''} onChange={(e) => set({ org: e.currentTarget.value })} data={[{ value: '', label: 'All organizations' }, ...(organizations ?? []).map((o) => ({ value: o.id, label: o.name }))]} />
      </div>
      <div className="table-wrap">
        {query.error ? <div className="pad"><TroubleNote error={query.error} retry={() => query.refetch()} /></div> : query.isPending ? <RowsToCome /> : rows.length === 0 ? <Empty icon={IconUsers} title="No account matches">Other words may find it.</Empty> : (
          <table className="table">
            <thead><tr><th>Name</th><th>E-mail</th><th>Organization</th><th>Roles</th><th>State</th><th>Last seen</th></tr></thead>
            <tbody>
              {rows.map((a, i) => (
                <tr key={a.id} data-href data-at={i === at} onClick={() => { setAt(i); open(i) }}>
                  <td><button type="button" className="plain main" onClick={(e) => { e.stopPropagation(); open(i) }}>{a.name}</button></td>
                  <td style={{ overflowWrap: 'anywhere' }}>{a.email}</td>
                  <td data-label="Belongs to">{a.organization.name}</td>
                  <td data-label="Roles">{a.roles.map((r) => roleName(r.role)).join(', ') || <span className="dim">none</span>}</td>
                  <td><Status of={a.disabled ? 'disabled' : 'active'} /></td>
                  <td data-label="Last seen" className="dim">{a.last_seen_at ? <Ago at={a.last_seen_at} /> : 'never'}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      <More query={query} />
      {address.id && <AccountSheet key={address.id} id={address.id} onClose={() => set({ id: '' })} />}
    </Page>
  )
}
