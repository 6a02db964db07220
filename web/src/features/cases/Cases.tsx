import { Button, CloseButton, Modal, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconFolder, IconPlus, IconSearch } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useOnce } from '~/api/once.ts'
import { asTrouble } from '~/api/problem.ts'
import { may, useMe } from '~/features/session/me.ts'
import { useRowKeys } from '~/lib/keys.ts'
import { useAddress } from '~/lib/search.ts'
import { More } from '~/ui/More.tsx'
import { Empty, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { Status } from '~/ui/Status.tsx'
import { Ago } from '~/ui/Time.tsx'
import { tell } from '~/ui/Toasts.tsx'
import { caseList, createCase } from './api.ts'
import { levelWord } from './words.ts'

export function Cases() {
  const me = useMe()
  const navigate = useNavigate()
  const [address, set] = useAddress()
  const [making, setMaking] = useState(false)
  const [q, setQ] = useState(address.q ?? '')
  const send = useDebouncedCallback((text: string) => set({ q: text }), 250)
  const query = useInfiniteQuery(caseList(address.q))
  const rows = query.data?.pages.flatMap((p) => p.items) ?? []
  const open = (i: number) => { const row = rows[i]; if (row) void navigate({ to: '/cases/$id', params: { id: row.id } }) }
  const [at, setAt] = useRowKeys(rows.length, open)
  const create = may(me, 'create_cases') && <Button leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>New case</Button>
  return (
    <Page title="Cases" actions={create}>
      <div className="filters">
        <TextInput className="search" aria-label="Search cases" placeholder="Number or name" leftSection={<IconSearch size={16} aria-hidden />} value={q}
          onChange={(e) => { setQ(e.currentTarget.value); send(e.currentTarget.value) }}
          rightSection={q ? <CloseButton size="sm" aria-label="Clear search" onClick={() => { setQ(''); set({ q: '' }) }} /> : null} />
      </div>
      <div className="table-wrap">
        {query.error ? <div className="pad"><TroubleNote error={query.error} retry={() => query.refetch()} /></div> : query.isPending ? <RowsToCome /> : rows.length === 0 ? (
          <Empty icon={IconFolder} title={address.q ? 'No case matches' : 'No cases yet'} action={address.q ? undefined : create}>
            {address.q ? 'Other words may find it.' : 'A case holds files and says who may do what with them. One is made when a request is approved, or by hand.'}
          </Empty>
        ) : (
          <table className="table">
            <thead><tr><th>Number</th><th>Name</th><th>State</th><th className="right">Files</th><th>You may</th><th>Opened</th></tr></thead>
            <tbody>
              {rows.map((c, i) => (
                <tr key={c.id} data-href data-at={i === at} onClick={(e) => { if (!(e.target as HTMLElement).closest('a')) { setAt(i); open(i) } }}>
                  <td className="num"><Link className="main" to="/cases/$id" params={{ id: c.id }}>{c.number}</Link></td>
                  <td className="main">{c.name}</td>
                  <td><Status of={c.closed_at ? 'closed' : 'open'} /></td>
                  <td className="right num" data-label="Files">{c.evidence_count}</td>
                  <td data-label="You may">{levelWord(c.level)}</td>
                  <td data-label="Opened" className="dim"><Ago at={c.created_at} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      <More query={query} />
      {making && <NewCase onClose={() => setMaking(false)} />}
    </Page>
  )
}

function NewCase({ onClose }: { onClose: () => void }) {
  const navigate = useNavigate()
  const queries = useQueryClient()
  const [name, setName] = useState('')
  const make = useOnce(createCase)
  const save = useMutation({
    mutationFn: () => make(name.trim()),
    onSuccess: ({ made, earlier }) => {
      if (earlier) tell(`Your case had been opened: ${made.number}, by the name that you gave it first.`)
      void queries.invalidateQueries({ queryKey: ['cases'] })
      void navigate({ to: '/cases/$id', params: { id: made.id } })
    },
  })
  const trouble = save.error ? asTrouble(save.error) : null
  return (
    <Modal opened onClose={onClose} title="New case" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); save.mutate() }}>
        <TextInput label="Name" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={trouble?.field('/name')} />
        {trouble && !trouble.field('/name') && <TroubleNote error={trouble} />}
        <div className="row"><Button type="submit" loading={save.isPending}>Open the case</Button><Button variant="default" onClick={onClose}>Not now</Button></div>
      </form>
    </Modal>
  )
}
