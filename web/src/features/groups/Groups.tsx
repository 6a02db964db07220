import { Button, Checkbox, Modal, NativeSelect, TextInput } from '@mantine/core'
import { IconPlus, IconTrash, IconUsersGroup } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { client, ifMatch, once, take } from '~/api/client.ts'
import { useOnce } from '~/api/once.ts'
import { asTrouble } from '~/api/problem.ts'
import type { Group } from '~/api/types.ts'
import { groupList, principals } from '~/features/accounts/api.ts'
import { PeopleTabs } from '~/features/accounts/PeopleTabs.tsx'
import { useMe } from '~/features/session/me.ts'
import { organizationList } from '~/features/sources/api.ts'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { Empty, LoadAgain, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { tellTrouble } from '~/ui/Toasts.tsx'

export function Groups() {
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery(groupList)
  const { data: people } = useQuery(principals)
  const { data: organizations } = useQuery(organizationList)
  const [editing, setEditing] = useState<Group | 'new' | null>(null)
  const remove = useMutation({
    mutationFn: (g: Group) => take(client.DELETE('/api/v1/groups/{id}', { params: { path: { id: g.id } }, headers: ifMatch(g.version) })),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['groups'] }), onError: tellTrouble,
  })
  const names = (g: Group) => g.account_ids.map((id) => people?.find((p) => p.id === id)?.name ?? '').filter(Boolean).join(', ')
  const create = <Button leftSection={<IconPlus size={14} />} onClick={() => setEditing('new')}>New group</Button>
  return (
    <Page title="People" actions={create}>
      <PeopleTabs at="/groups" />
      <div className="table-wrap">
        {error ? <div className="pad"><TroubleNote error={error} retry={() => refetch()} /></div> : !data ? <RowsToCome rows={3} /> : data.length === 0 ? <Empty icon={IconUsersGroup} title="No groups yet" action={create}>A group can be given access to a case in one stroke.</Empty> : (
          <table className="table">
            <thead><tr><th>Name</th><th>Organization</th><th>Members</th><th><span className="unseen">Change</span></th></tr></thead>
            <tbody>
              {data.map((g) => (
                <tr key={g.id}>
                  <td className="main">{g.name}</td>
                  <td data-label="Belongs to">{organizations?.find((o) => o.id === g.organization_id)?.name}</td>
                  <td data-label="Members">{names(g) || <span className="dim">none</span>}</td>
                  <td className="right"><span className="row wrap" style={{ justifyContent: 'flex-end' }}>{g.allowed_actions.includes('change') && <Button variant="default" onClick={() => setEditing(g)}>Change</Button>}
                    {g.allowed_actions.includes('remove') && <ConfirmButton label="Delete" icon={<IconTrash size={14} />} verb="Delete group" onConfirm={() => remove.mutate(g)} question={`What was given to ${g.name} is taken from its members. The people stay.`} />}</span></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {editing && <Form of={editing === 'new' ? null : editing} onClose={() => setEditing(null)} />}
    </Page>
  )
}

function Form({ of, onClose }: { of: Group | null; onClose: () => void }) {
  const me = useMe()
  const queries = useQueryClient()
  const { data: organizations } = useQuery(organizationList)
  const { data: people } = useQuery(principals)
  const [name, setName] = useState(of?.name ?? '')
  const [organization, setOrganization] = useState(of?.organization_id ?? me.account.organization.id)
  const [members, setMembers] = useState(new Set(of ? of.account_ids : []))
  // What is saved so far: where the second step fails, the first is not done again.
  const [saved, setSaved] = useState(of)
  const create = useOnce((body: { name: string; organization_id: string }, key) => take(client.POST('/api/v1/groups', { body, headers: once(key) })))
  const save = useMutation({
    mutationFn: async () => {
      const known = saved ?? (await create({ name, organization_id: organization })).made
      const group = known.name === name ? known : await take(client.PATCH('/api/v1/groups/{id}', { params: { path: { id: known.id } }, headers: ifMatch(known.version), body: { name } }))
      setSaved(group)
      await take(client.PUT('/api/v1/groups/{id}/members', { params: { path: { id: group.id } }, headers: ifMatch(group.version), body: { account_ids: [...members] } }))
    },
    onSuccess: onClose,
    onSettled: () => void queries.invalidateQueries({ queryKey: ['groups'] }),
  })
  const load = useMutation({
    mutationFn: async () => (await queries.fetchQuery({ ...groupList, staleTime: 0 })).find((group) => group.id === saved?.id),
    onSuccess: (fresh) => {
      if (!fresh) return onClose()
      setSaved(fresh)
      setName(fresh.name)
      setMembers(new Set(fresh.account_ids))
      save.reset()
    },
    onError: tellTrouble,
  })
  const trouble = save.error ? asTrouble(save.error) : null
  const accounts = (people ?? []).filter((p) => p.id.startsWith('acc_'))
  return (
    <Modal opened onClose={onClose} title={of ? of.name : 'New group'} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); save.mutate() }}>
        <TextInput label="Name" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={trouble?.field('/name')} />
        <NativeSelect label="Organization" disabled={!!of} value={organization} onChange={(e) => setOrganization(e.currentTarget.value)} data={(organizations ?? []).map((o) => ({ value: o.id, label: o.name }))} />
        <fieldset className="stack" style={{ maxHeight: 240, overflowY: 'auto' }}>
          <legend className="legend">Members</legend>
          {accounts.map((p) => <Checkbox key={p.id} label={p.name} checked={members.has(p.id)} onChange={() => setMembers((m) => { const next = new Set(m); if (!next.delete(p.id)) next.add(p.id); return next })} />)}
        </fieldset>
        {trouble?.status === 412 ? <LoadAgain what="this group" loading={load.isPending} onLoad={() => load.mutate()} /> : trouble && <TroubleNote error={trouble} />}
        <div className="row"><Button type="submit" loading={save.isPending}>{of ? 'Save' : 'Add group'}</Button><Button variant="default" onClick={onClose}>Not now</Button></div>
      </form>
    </Modal>
  )
}
