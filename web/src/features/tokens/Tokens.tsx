import { Button, Checkbox, Modal, TextInput } from '@mantine/core'
import { IconKey, IconPlus } from '@tabler/icons-react'
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { client, once, take } from '~/api/client.ts'
import { useOnce } from '~/api/once.ts'
import { asTrouble } from '~/api/problem.ts'
import type { Privilege, Token } from '~/api/types.ts'
import { useMe, useZone } from '~/features/session/me.ts'
import { sentence } from '~/lib/format.ts'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { DateTimeField } from '~/ui/DateTimeField.tsx'
import { Copy } from '~/ui/Hash.tsx'
import { Empty, Note, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { Status } from '~/ui/Status.tsx'
import { Ago, Time } from '~/ui/Time.tsx'
import { tellTrouble } from '~/ui/Toasts.tsx'

const tokenList = queryOptions({
  queryKey: ['tokens'],
  queryFn: async () => (await take(client.GET('/api/v1/tokens'))).items,
})

export function Tokens() {
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery(tokenList)
  const [making, setMaking] = useState(false)
  const revoke = useMutation({
    mutationFn: (t: Token) => take(client.DELETE('/api/v1/tokens/{id}', { params: { path: { id: t.id } } })),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['tokens'] }), onError: tellTrouble,
  })
  const create = <Button leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>New token</Button>
  return (
    <Page title="API tokens" narrow actions={create} under="A token lets a program act in your name, at most with what you may do yourself.">
      <div className="table-wrap">
        {error ? <div className="pad"><TroubleNote error={error} retry={() => refetch()} /></div> : !data ? <RowsToCome rows={3} /> : data.length === 0 ? <Empty icon={IconKey} title="No tokens" action={create}>Scripts and other systems sign in with a token instead of a password.</Empty> : (
          <table className="table">
            <thead><tr><th>Name</th><th>May</th><th>Last used</th><th>Ends</th><th>State</th><th><span className="unseen">Revoke</span></th></tr></thead>
            <tbody>
              {data.map((t) => (
                <tr key={t.id}>
                  <td className="main">{t.name}</td>
                  <td data-label="May" className="small">{t.scopes?.length ? t.scopes.map(sentence).join(', ') : 'All that you may'}</td>
                  <td data-label="Last used" className="dim">{t.last_used_at ? <Ago at={t.last_used_at} /> : 'never'}</td>
                  <td data-label="Ends" className="dim">{t.expires_at ? <Time at={t.expires_at} /> : 'No end'}</td>
                  <td><Status of={t.revoked_at ? 'revoked' : t.expires_at && new Date(t.expires_at) < new Date() ? 'expired' : 'active'} /></td>
                  <td className="right">{!t.revoked_at && <ConfirmButton label="Revoke" verb="Revoke token" onConfirm={() => revoke.mutate(t)} question={`Programs that use ${t.name} stop working at once.`} />}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {making && <NewToken onClose={() => setMaking(false)} />}
    </Page>
  )
}

function NewToken({ onClose }: { onClose: () => void }) {
  const me = useMe()
  const zone = useZone()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const [scopes, setScopes] = useState(new Set<Privilege>())
  const [expires, setExpires] = useState<string | null>(() => new Date(Date.now() + 90 * 86_400_000).toISOString())
  const privileges = [...new Set(me.privileges.map((p) => p.privilege))].sort()
  const create = useOnce((body: { name: string; scopes?: Privilege[]; expires_at: string | null }, key) => take(client.POST('/api/v1/tokens', { body, headers: once(key) })))
  const save = useMutation({
    mutationFn: () => create({ name: name.trim(), scopes: scopes.size > 0 ? [...scopes] : undefined, expires_at: expires }).then(({ made }) => made),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['tokens'] }),
  })
  const trouble = save.error ? asTrouble(save.error) : null
  return (
    <Modal opened onClose={onClose} title={save.data ? save.data.token.name : 'New token'} size="lg" closeButtonProps={{ 'aria-label': 'Close' }} closeOnClickOutside={!save.data}>
      {save.data ? (
        <div className="stack wide">
          <Note tone="wait">The token is shown once. Keep it where the program can read it and nobody else.</Note>
          <div className="row"><code className="mono" style={{ overflowWrap: 'anywhere', background: 'var(--sunk)', padding: '8px 12px', borderRadius: 6 }}>{save.data.secret}</code><Copy value={save.data.secret} what="Copy token" /></div>
          <div><Button onClick={onClose}>Done</Button></div>
        </div>
      ) : (
        <form className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); save.mutate() }}>
          <TextInput label="Name" placeholder="What uses it" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={trouble?.field('/name')} />
          <DateTimeField label="Ends" zone={zone} value={expires} onChange={setExpires} clearable description="Empty: it has no end" error={trouble?.field('/expires_at')} />
          <fieldset className="fields">
            <legend className="legend" style={{ marginBottom: 8 }}>What it may do; without a choice, all that you may</legend>
            {privileges.map((p) => <Checkbox key={p} label={sentence(p)} checked={scopes.has(p)} onChange={() => setScopes((s) => { const next = new Set(s); if (!next.delete(p)) next.add(p); return next })} />)}
          </fieldset>
          {trouble && <TroubleNote error={trouble} />}
          <div className="row"><Button type="submit" loading={save.isPending}>Make the token</Button><Button variant="default" onClick={onClose}>Not now</Button></div>
        </form>
      )}
    </Modal>
  )
}
