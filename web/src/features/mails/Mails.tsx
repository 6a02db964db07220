import { Button, CloseButton, SegmentedControl, TextInput } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { IconMail, IconRefresh, IconSearch } from '@tabler/icons-react'
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import type { MailBody, MailState } from '~/api/types.ts'
import { useMe } from '~/features/session/me.ts'
import { useRowKeys } from '~/lib/keys.ts'
import { useAddress } from '~/lib/search.ts'
import { More } from '~/ui/More.tsx'
import { Empty, Note, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Facts, Page } from '~/ui/Page.tsx'
import { Sheet } from '~/ui/Sheet.tsx'
import { Status } from '~/ui/Status.tsx'
import { Ago, Time } from '~/ui/Time.tsx'
import { tell, tellTrouble } from '~/ui/Toasts.tsx'
import { mailList, oneMail, retryMail } from './api.ts'

const STATES: [MailState | '', string][] = [['', 'All'], ['waiting', 'Waiting'], ['sent', 'Sent'], ['kept', 'Kept'], ['dead', 'Given up']]

export function Mails() {
  const me = useMe()
  const [address, set] = useAddress()
  const state = STATES.find(([value]) => value === address.state)?.[0] || undefined
  const query = useInfiniteQuery(mailList({ q: address.q, state }))
  const rows = query.data?.pages.flatMap((p) => p.items) ?? []
  const open = (i: number) => { const row = rows[i]; if (row) set({ id: row.id }, false) }
  const [at, setAt] = useRowKeys(rows.length, open)
  const [q, setQ] = useState(address.q ?? '')
  const send = useDebouncedCallback((text: string) => set({ q: text }), 250)
  return (
    <Page title="Mail">
      {!me.installation.mail_delivers && <div style={{ marginBottom: 12 }}><Note>No mail server is configured: mail is kept here instead of being sent. What waits for a person shows on their pages all the same.</Note></div>}
      <div className="filters">
        <TextInput className="search" aria-label="Search mail" placeholder="Recipient or subject" leftSection={<IconSearch size={16} aria-hidden />} value={q}
          onChange={(e) => { setQ(e.currentTarget.value); send(e.currentTarget.value) }}
          rightSection={q ? <CloseButton size="sm" aria-label="Clear search" onClick={() => { setQ(''); set({ q: '' }) }} /> : null} />
        <div className="chips">{STATES.map(([value, label]) => <button key={value} type="button" className="chip" aria-pressed={(state ?? '') === value} onClick={() => set({ state: value })}>{label}</button>)}</div>
      </div>
      <div className="table-wrap">
        {query.error ? <div className="pad"><TroubleNote error={query.error} retry={() => query.refetch()} /></div> : query.isPending ? <RowsToCome /> : rows.length === 0 ? (
          <Empty icon={IconMail} title={q || state ? 'No mail matches' : 'No mail yet'}>Every message that Sightline writes is listed, with whether it left.</Empty>
        ) : (
          <table className="table">
            <thead><tr><th>To</th><th>Subject</th><th>State</th><th className="right">Tries</th><th>Written</th></tr></thead>
            <tbody>
              {rows.map((m, i) => (
                <tr key={m.id} data-href data-at={i === at} onClick={() => { setAt(i); open(i) }}>
                  <td style={{ overflowWrap: 'anywhere', minWidth: 180 }}>{m.to}</td>
                  <td><button type="button" className="plain main" onClick={(e) => { e.stopPropagation(); open(i) }}>{m.subject}</button></td>
                  <td><Status of={m.state} /></td>
                  <td className="right num" data-label="Tries">{m.attempts}</td>
                  <td className="dim" data-label="Written"><Ago at={m.created_at} /></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      <More query={query} />
      {address.id && <MailSheet id={address.id} onClose={() => set({ id: '' })} />}
    </Page>
  )
}

function MailSheet({ id, onClose }: { id: string; onClose: () => void }) {
  const queries = useQueryClient()
  const { mail_delivers: delivers } = useMe().installation
  const { data: mail, error } = useQuery(oneMail(id))
  const retry = useMutation({
    mutationFn: () => retryMail(id),
    onSuccess: () => { tell('It is tried again.'); void queries.invalidateQueries({ queryKey: ['mails'] }) }, onError: tellTrouble,
  })
  return (
    <Sheet opened onClose={onClose} size={640} title={mail?.head.subject ?? 'Mail'} under={mail?.head.to}
      foot={mail && delivers && mail.head.state !== 'sent' && mail.head.state !== 'waiting' && <Button leftSection={<IconRefresh size={14} />} loading={retry.isPending} onClick={() => retry.mutate()}>Try to send again</Button>}>
      {error ? <TroubleNote error={error} /> : !mail ? <RowsToCome rows={3} /> : <Body mail={mail} />}
    </Sheet>
  )
}

/** Text whose addresses can be followed. */
function Linked({ text }: { text: string }) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, index) => (index % 2 ? <a key={index} href={part} target="_blank" rel="noreferrer" style={{ textDecoration: 'underline' }}>{part}</a> : part))
}

function Body({ mail }: { mail: MailBody }) {
  const [as, setAs] = useState(mail.html ? 'html' : 'text')
  return (
    <>
      <Facts of={[['State', <Status key="s" of={mail.head.state} />], ['Written', <Time key="w" at={mail.head.created_at} />], ['Sent', mail.head.sent_at && <Time key="t" at={mail.head.sent_at} />], ['Last error', mail.head.last_error && <span className="tone-bad">{mail.head.last_error}</span>]]} />
      {mail.html && <SegmentedControl value={as} onChange={setAs} data={[{ value: 'html', label: 'As it looks' }, { value: 'text', label: 'Plain text' }]} aria-label="Show as" style={{ alignSelf: 'flex-start' }} />}
      {as === 'html' && mail.html
        ? <iframe title="The message as it looks" sandbox="allow-popups allow-popups-to-escape-sandbox" srcDoc={mail.html} style={{ border: '1px solid var(--rule)', borderRadius: 6, background: '#fff', boxSizing: 'border-box', width: '100%', minHeight: 420 }} />
        : <pre className="mono" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere', margin: 0, padding: 12, background: 'var(--sunk)', borderRadius: 6 }}><Linked text={mail.text} /></pre>}
    </>
  )
}
