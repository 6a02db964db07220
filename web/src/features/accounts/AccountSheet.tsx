import { ActionIcon, Button, NativeSelect, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useOnce } from '~/api/once.ts'
import { asTrouble } from '~/api/problem.ts'
import type { Account, NewAccount, RoleHeld } from '~/api/types.ts'
import { useMe } from '~/features/session/me.ts'
import { organizationList } from '~/features/sources/api.ts'
import { inWords } from '~/lib/others.ts'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { Copy } from '~/ui/Hash.tsx'
import { Note, Overtaken, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { useOpened } from '~/ui/opened.ts'
import { Sheet } from '~/ui/Sheet.tsx'
import { tell } from '~/ui/Toasts.tsx'
import { type AccountFields, changeAccount, createAccount, oneAccount, roleList } from './api.ts'

export function AccountSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const { data, error } = useQuery({ ...oneAccount(id), enabled: id !== 'new' })
  if (id !== 'new' && !data) return <Sheet opened onClose={onClose} title="Account">{error ? <TroubleNote error={error} /> : <RowsToCome rows={3} />}</Sheet>
  return <Form account={data} onClose={onClose} />
}

function Form({ account: known, onClose }: { account?: Account; onClose: () => void }) {
  const me = useMe()
  const queries = useQueryClient()
  const { data: organizations } = useQuery(organizationList)
  const { data: roles } = useQuery(roleList)
  const roleWords = (value: unknown) => (Array.isArray(value) ? value.map(({ role }: RoleHeld) => roles?.find((r) => r.role === role)?.name ?? role).join(', ') || 'none' : inWords(value))
  const { opened: account, theirs, load } = useOpened(known, (of) => queries.fetchQuery({ ...oneAccount(of.id), staleTime: 0 }), roleWords)
  const [touched, setTouched] = useState<AccountFields>(account ? {} : { organization_id: me.account.organization.id, roles: [{ role: 'investigator', organization_id: null }] })
  const now = { ...account, ...touched }
  const held: RoleHeld[] = now.roles ?? []
  const put = (patch: AccountFields) => setTouched((t) => ({ ...t, ...patch }))
  const [made, setMade] = useState<NewAccount | null>(null)
  const create = useOnce(createAccount)
  const save = useMutation({
    mutationFn: (body: AccountFields): Promise<NewAccount> => (account ? changeAccount(account.id, account.version, body) : create(body).then(({ made }) => made)),
    onSuccess: (saved) => {
      void queries.invalidateQueries({ queryKey: ['accounts'] })
      if (!account && saved.one_time_password) return setMade(saved)
      tell(`The account of ${saved.account.name} is ${account ? 'changed' : 'made'}.`)
      onClose()
    },
  })
  const trouble = save.error ? asTrouble(save.error) : null
  const wrong = (field: string) => trouble?.field(`/${field}`) ?? theirs[field]
  const setRole = (i: number, patch: Partial<RoleHeld>) => put({ roles: held.map((r, n) => (n === i ? { ...r, ...patch } : r)) })
  if (made) {
    return (
      <Sheet opened onClose={onClose} title={`The account of ${made.account.name} is made`} foot={<Button size="sm" onClick={onClose}>Done</Button>}>
        <Note tone="wait">This password is shown once. Hand it over by a way you trust; it has to be changed at the first sign-in.</Note>
        <div className="row wrap"><code className="mono" style={{ fontSize: 16, overflowWrap: 'anywhere', background: 'var(--sunk)', padding: '8px 12px', borderRadius: 6 }}>{made.one_time_password}</code><Copy value={made.one_time_password ?? ''} what="Copy password" /></div>
      </Sheet>
    )
  }
  return (
    <Sheet opened onClose={onClose} title={account ? account.name : 'New account'} under={account?.email} size={520}
      foot={<>
        {(!account || account.allowed_actions.includes('change')) && <Button size="sm" type="submit" form="account-form" loading={save.isPending}>{account ? 'Save' : 'Make the account'}</Button>}
        {account?.allowed_actions.includes('change') && account.id !== me.account.id && (account.disabled
          ? <Button size="sm" variant="default" onClick={() => save.mutate({ disabled: false })}>Enable</Button>
          : <ConfirmButton size="sm" label="Disable" verb="Disable account" onConfirm={() => save.mutate({ disabled: true })} question={`${account.name} is signed out at once and cannot come in again. What they did stays on record.`} />)}
      </>}>
      <form id="account-form" className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); save.mutate(touched) }}>
        <div className="fields">
          <TextInput className="all" label="Name" required withAsterisk={false} data-autofocus value={now.name ?? ''} onChange={(e) => put({ name: e.currentTarget.value })} error={wrong('name')} />
          <TextInput label="E-mail" type="email" required withAsterisk={false} disabled={!!account} value={now.email ?? ''} onChange={(e) => put({ email: e.currentTarget.value })} error={trouble?.field('/email')} />
          <TextInput label="User name" value={now.user_name ?? ''} onChange={(e) => put({ user_name: e.currentTarget.value || null })} error={wrong('user_name')} />
          <NativeSelect className="all" label="Organization" disabled={!!account} value={now.organization_id ?? account?.organization.id} onChange={(e) => put({ organization_id: e.currentTarget.value })} error={trouble?.field('/organization_id')} data={(organizations ?? []).map((o) => ({ value: o.id, label: o.name }))} />
        </div>
        <fieldset className="stack">
          <legend><h3>Roles</h3></legend>
          {held.map((r, i) => (
            <div className="pair" key={`${r.role}-${String(i)}`}>
              <NativeSelect aria-label="Role" value={r.role} onChange={(e) => setRole(i, { role: e.currentTarget.value as RoleHeld['role'] })} data={(roles ?? [{ role: r.role, name: r.role }]).map((x) => ({ value: x.role, label: x.name }))} />
              <NativeSelect aria-label="For which organization" value={r.organization_id ?? ''} onChange={(e) => setRole(i, { organization_id: e.currentTarget.value || null })} data={[{ value: '', label: 'everywhere' }, ...(organizations ?? []).map((o) => ({ value: o.id, label: `for ${o.name}` }))]} />
              <ActionIcon aria-label="Take this role away" onClick={() => put({ roles: held.filter((_, n) => n !== i) })}><IconX size={16} /></ActionIcon>
            </div>
          ))}
          {wrong('roles') && <span className="small tone-bad">{wrong('roles')}</span>}
          <div><Button variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => put({ roles: [...held, { role: 'investigator', organization_id: null }] })}>Another role</Button></div>
        </fieldset>
        {trouble?.status === 412 && account ? <Overtaken what="this account" loading={load.isPending} onLoad={() => load.mutate({ of: account, touched }, { onSuccess: () => save.reset() })} /> : trouble && <TroubleNote error={trouble} />}
      </form>
    </Sheet>
  )
}
