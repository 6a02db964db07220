import { ActionIcon, Button, NativeSelect } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { AccessEntry, Case } from '~/api/types.ts'
import { principals } from '~/features/accounts/api.ts'
import { may, useMe, useZone } from '~/features/session/me.ts'
import { DateTimeField } from '~/ui/DateTimeField.tsx'
import { Note, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Time } from '~/ui/Time.tsx'
import { tell } from '~/ui/Toasts.tsx'
import { caseAccess, putAccess } from './api.ts'
import { LEVEL_CHOICES, levelWord } from './words.ts'

/** Who may do what with the files of a case. */
export function AccessTable({ of: c }: { of: Case }) {
  const queries = useQueryClient()
  const zone = useZone()
  const { data: kept, error } = useQuery(caseAccess(c.id))
  const manages = c.allowed_actions.includes('share')
  const knowsPeople = may(useMe(), 'manage_accounts')
  const { data: people } = useQuery({ ...principals, enabled: manages && knowsPeople, retry: false })
  const [draft, setDraft] = useState<AccessEntry[] | null>(null)
  const rows = draft ?? kept ?? []
  const name = (e: AccessEntry) => e.name ?? people?.find((p) => p.id === e.principal_id)?.name ?? e.principal_id
  const save = useMutation({
    mutationFn: () => putAccess(c.id, rows.map(({ principal_id, level, expires_at }) => ({ principal_id, level, expires_at }))),
    onSuccess: () => { setDraft(null); tell('Access is changed.'); void queries.invalidateQueries({ queryKey: ['cases'] }) },
  })
  const put = (id: string, patch: Partial<AccessEntry>) => setDraft(rows.map((r) => (r.principal_id === id ? { ...r, ...patch } : r)))
  if (error) return <TroubleNote error={error} />
  if (!kept) return <div className="panel"><RowsToCome rows={3} /></div>
  const others = (people ?? []).filter((p) => !rows.some((r) => r.principal_id === p.id))
  return (
    <div className="stack wide">
      <div className="table-wrap">
        <table className="table">
          <thead><tr><th>Who</th><th>May</th><th>Until</th><th><span className="unseen">Take away</span></th></tr></thead>
          <tbody>
            {rows.map((e) => (
              <tr key={e.principal_id}>
                <td className="main">{name(e)}</td>
                <td>{manages ? <NativeSelect aria-label={`What ${name(e)} may do`} w={180} value={e.level} data={LEVEL_CHOICES} onChange={(ev) => put(e.principal_id, { level: ev.currentTarget.value as AccessEntry['level'] })} /> : levelWord(e.level)}</td>
                <td>{manages && e.expires_at ? <DateTimeField label="" zone={zone} value={e.expires_at} clearable onChange={(at) => put(e.principal_id, { expires_at: at })} />
                  : e.expires_at ? <Time at={e.expires_at} /> : manages ? <Button variant="subtle" color="gray" onClick={() => put(e.principal_id, { expires_at: new Date(Date.now() + 30 * 86_400_000).toISOString() })}>No end; set one</Button> : <span className="dim">No end</span>}</td>
                <td className="right">{manages && <ActionIcon aria-label={`Take access from ${name(e)}`} onClick={() => setDraft(rows.filter((r) => r.principal_id !== e.principal_id))}><IconX size={16} /></ActionIcon>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {manages && others.length > 0 && (
        <NativeSelect label="Give access to" w={280} value="" onChange={(e) => { if (e.currentTarget.value) setDraft([...rows, { principal_id: e.currentTarget.value, level: 'view', expires_at: null }]) }}
          data={[{ value: '', label: 'Choose a person or a group' }, ...others.map((p) => ({ value: p.id, label: p.name }))]} />
      )}
      {manages && !knowsPeople && <p className="small dim">Whom else to give access to is a list of accounts, which only those who manage accounts see: ask one of them.</p>}
      {draft && <Note tone="wait"><span className="row wrap">Not saved yet. <Button loading={save.isPending} onClick={() => save.mutate()}>Save access</Button><Button variant="default" onClick={() => setDraft(null)}>Discard</Button></span></Note>}
      {save.error && <TroubleNote error={save.error} />}
    </div>
  )
}
