import { Button, Modal, Switch, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { client, ifMatch, once, take } from '~/api/client.ts'
import { useOnce } from '~/api/once.ts'
import { asTrouble } from '~/api/problem.ts'
import type { Organization } from '~/api/types.ts'
import { PeopleTabs } from '~/features/accounts/PeopleTabs.tsx'
import { may, mayEnterOrganizations, useMe } from '~/features/session/me.ts'
import { organizationList } from '~/features/sources/api.ts'
import { RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { Ago } from '~/ui/Time.tsx'

export function Organizations() {
  const { data, error, refetch } = useQuery(organizationList)
  const me = useMe()
  const [editing, setEditing] = useState<Organization | 'new' | null>(null)
  return (
    <Page title={may(me, 'manage_accounts') ? 'People' : 'Organizations'}
      actions={mayEnterOrganizations(me) && <Button leftSection={<IconPlus size={14} />} onClick={() => setEditing('new')}>New organization</Button>}>
      {may(me, 'manage_accounts') && <PeopleTabs at="/organizations" />}
      <div className="table-wrap">
        {error ? <div className="pad"><TroubleNote error={error} retry={() => refetch()} /></div> : !data ? <RowsToCome rows={4} /> : (
          <table className="table">
            <thead><tr><th>Name</th><th>Time zone</th><th>Cameras</th><th>Since</th><th><span className="unseen">Change</span></th></tr></thead>
            <tbody>
              {data.map((o) => (
                <tr key={o.id}>
                  <td className="main"><div>{o.name}{o.is_host && <div className="small dim" style={{ fontWeight: 400 }}>runs this installation</div>}</div></td>
                  <td data-label="Time zone">{o.time_zone}</td>
                  <td><Link to="/registry" search={{ org: o.id, follow: 'no' } as never}>Its cameras</Link></td>
                  <td className="dim" data-label="Since"><Ago at={o.created_at} /></td>
                  <td className="right">{(o.allowed_actions.includes('change') || o.allowed_actions.includes('set_holds')) && <Button variant="default" onClick={() => setEditing(o)}>Change</Button>}</td>
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

/** Who may only set whether footage is held sends nothing else. */
function changes(of: Organization, all: { name: string; time_zone: string; holds_on_submission: boolean }) {
  return of.allowed_actions.includes('change') ? all : { holds_on_submission: all.holds_on_submission }
}

function Form({ of, onClose }: { of: Organization | null; onClose: () => void }) {
  const queries = useQueryClient()
  const [name, setName] = useState(of?.name ?? '')
  const [holds, setHolds] = useState(of?.holds_on_submission ?? false)
  const [zone, setZone] = useState(of?.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone)
  const change = (one: Organization) => take(client.PATCH('/api/v1/organizations/{id}', { params: { path: { id: one.id } }, headers: ifMatch(one.version), body: changes(one, { name, time_zone: zone, holds_on_submission: holds }) }))
  const create = useOnce((body: { name: string; time_zone: string }, key) => take(client.POST('/api/v1/organizations', { body, headers: once(key) })))
  const save = useMutation({
    mutationFn: async () => {
      if (of) return change(of)
      const { made, earlier } = await create({ name, time_zone: zone })
      return earlier ? change(made) : made
    },
    onSuccess: onClose,
    onSettled: () => void queries.invalidateQueries({ queryKey: ['organizations'] }),
  })
  const fixed = !!of && !of.allowed_actions.includes('change')
  const trouble = save.error ? asTrouble(save.error) : null
  return (
    <Modal opened onClose={onClose} title={of ? of.name : 'New organization'} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); save.mutate() }}>
        <TextInput label="Name" disabled={fixed} required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={trouble?.field('/name')} />
        <TextInput label="Time zone" disabled={fixed} description="As in America/Los_Angeles" required withAsterisk={false} list="zones" value={zone} onChange={(e) => setZone(e.currentTarget.value)} error={trouble?.field('/time_zone')} />
        <datalist id="zones">{Intl.supportedValuesOf('timeZone').map((z) => <option key={z} value={z} />)}</datalist>
        {of && <Switch label="Hold what is asked for at once" description="A connector that can do so keeps the footage as soon as somebody asks for it, so that it is not written over before it is decided. Denying lets go of it." checked={holds} onChange={(e) => setHolds(e.currentTarget.checked)} />}
        {trouble && <TroubleNote error={trouble} />}
        <div className="row"><Button type="submit" loading={save.isPending}>{of ? 'Save' : 'Add organization'}</Button><Button variant="default" onClick={onClose}>Not now</Button></div>
      </form>
    </Modal>
  )
}
