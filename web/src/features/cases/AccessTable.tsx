import { ActionIcon, Button, NativeSelect, Select } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconX } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { asTrouble } from '~/api/problem.ts'
import type { AccessEntry, Case, Evidence } from '~/api/types.ts'
import { useZone } from '~/features/session/me.ts'
import { DateTimeField } from '~/ui/DateTimeField.tsx'
import { LoadAgain, Note, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Time } from '~/ui/Time.tsx'
import { tell } from '~/ui/Toasts.tsx'
import { plural } from '~/lib/format.ts'
import { accessCandidates, caseAccess, putAccess } from './api.ts'
import { LEVEL_CHOICES, levelWord } from './words.ts'

/** Who may do what with the files of a case. */
export function AccessTable({ of: c, files }: { of: Case; files: Evidence[] }) {
  const queries = useQueryClient()
  const zone = useZone()
  const { data: kept, error } = useQuery(caseAccess(c.id))
  const manages = c.allowed_actions.includes('share')
  const [words, setWords] = useState('')
  const [sought] = useDebouncedValue(words, 200)
  const { data: found } = useQuery({ ...accessCandidates(c.id, sought), enabled: manages })
  // A draft is of the list that it was begun with: where somebody else changed that meanwhile, it is refused.
  const [draft, setDraft] = useState<{ entries: AccessEntry[]; version: number } | null>(null)
  const { entries: rows, version } = draft ?? kept ?? { entries: [], version: 0 }
  const change = (entries: AccessEntry[]) => setDraft({ entries, version })
  const name = (e: AccessEntry) => e.name ?? e.principal_id
  const save = useMutation({
    mutationFn: () => putAccess(c.id, version, rows.map(({ principal_id, level, expires_at }) => ({ principal_id, level, expires_at }))),
    onSuccess: () => { setDraft(null); tell('Access is changed.'); void queries.invalidateQueries({ queryKey: ['cases'] }) },
  })
  const beginAnew = () => { setDraft(null); save.reset(); void queries.invalidateQueries({ queryKey: ['cases'] }) }
  const put = (id: string, patch: Partial<AccessEntry>) => change(rows.map((r) => (r.principal_id === id ? { ...r, ...patch } : r)))
  if (error) return <TroubleNote error={error} />
  if (!kept) return <div className="panel"><RowsToCome rows={3} /></div>
  const others = (found ?? []).filter((p) => !rows.some((r) => r.principal_id === p.principal_id))
  const letIn = (id: string | null) => {
    const someone = others.find((p) => p.principal_id === id)
    if (someone) change([...rows, { principal_id: someone.principal_id, name: someone.name, level: 'view', expires_at: null }])
    setWords('')
  }
  // What was released to be looked at only: whoever may only view the case does not know which these are.
  const onlyViewed = c.level === 'view' ? [] : files.filter((file) => file.level === 'view')
  return (
    <div className="stack wide">
      {onlyViewed.length > 0 && <Note>{onlyViewed.length === files.length ? (files.length === 1 ? 'The file of this case was' : 'All files of this case were') : `${plural(onlyViewed.length, 'file')} of ${files.length} ${onlyViewed.length === 1 ? 'was' : 'were'}`} released to be viewed only: nobody may download {onlyViewed.length === 1 ? 'it' : 'them'}, whatever stands here.</Note>}
      <form id="access-form" className="table-wrap" onSubmit={(event) => { event.preventDefault(); if (draft) save.mutate() }}>
        <table className="table">
          <thead><tr><th>Who</th><th>May</th><th>Until</th><th><span className="unseen">Take away</span></th></tr></thead>
          <tbody>
            {rows.map((e) => (
              <tr key={e.principal_id}>
                <td className="main">{name(e)}</td>
                <td>{manages ? <NativeSelect aria-label={`What ${name(e)} may do`} w={180} value={e.level} data={LEVEL_CHOICES} onChange={(ev) => put(e.principal_id, { level: ev.currentTarget.value as AccessEntry['level'] })} /> : levelWord(e.level)}</td>
                <td>{manages && e.expires_at ? <DateTimeField label="" zone={zone} value={e.expires_at} clearable onChange={(at) => put(e.principal_id, { expires_at: at })} />
                  : e.expires_at ? <Time at={e.expires_at} /> : manages ? <Button variant="subtle" color="gray" onClick={() => put(e.principal_id, { expires_at: new Date(Date.now() + 30 * 86_400_000).toISOString() })}>No end; set one</Button> : <span className="dim">No end</span>}</td>
                <td className="corner right">{manages && <ActionIcon className="touch" aria-label={`Take access from ${name(e)}`} onClick={() => change(rows.filter((r) => r.principal_id !== e.principal_id))}><IconX size={16} /></ActionIcon>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </form>
      {manages && (
        <Select label="Give access to" placeholder="A person or a group, by name" w={320} maw="100%" searchable value={null} searchValue={words} onSearchChange={setWords} onChange={letIn}
          filter={({ options }) => options} nothingFoundMessage={found ? 'Nobody else by that name' : 'Looking…'}
          data={others.map((p) => ({ value: p.principal_id, label: `${p.name} · ${p.organization}` }))} />
      )}
      {draft && <Note tone="wait"><span className="row wrap">Not saved yet. <Button type="submit" form="access-form" loading={save.isPending}>Save access</Button><Button variant="default" onClick={beginAnew}>Discard</Button></span></Note>}
      {save.error && (asTrouble(save.error).status === 412
        ? <LoadAgain what="who has access" onLoad={beginAnew} /> : <TroubleNote error={save.error} />)}
    </div>
  )
}
