import { useEffect, useRef, useState } from 'react'
import type { LinkView, Receipt } from '~/api/types.ts'
import { bytes } from '~/lib/format.ts'
import { end, keyOf, send, type Sender } from '~/lib/upload.ts'
import { finish, LinkTrouble, serverTime } from './api.ts'
import { GuestTrouble } from './Closed.tsx'
import { FileRow, type Row } from './FileRow.tsx'

interface Doubt { file: File; doubt: string; sendable: boolean }

/** What cannot be video, told before it is sent: a file of nothing, or of text. */
async function doubtAbout(file: File): Promise<string | null> {
  if (file.size === 0) return 'is empty'
  const head = new Uint8Array(await file.slice(0, 512).arrayBuffer())
  const text = head.every((b) => b >= 32 || b === 9 || b === 10 || b === 13)
  return text || /^text\/|pdf|document/.test(file.type) ? 'does not look like video, sound or a picture' : null
}

/** `onChanged`: what the server has of the link is no longer what is shown. */
export function FilesStep({ token, link, onBack, onChanged, onDone }: { token: string; link: LinkView; onBack: () => void; onChanged: () => void; onDone: (receipt: Receipt) => void }) {
  const [rows, setRows] = useState<Row[]>([])
  const [doubts, setDoubts] = useState<Doubt[]>([])
  const [twice, setTwice] = useState<string[]>([])
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<LinkTrouble | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const choose = useRef<HTMLButtonElement>(null)
  const senders = useRef<Sender[]>([])
  const lock = useRef<{ release: () => Promise<void> } | null>(null)
  const sending = rows.some((r) => r.state === 'sending' || r.state === 'waiting')
  // By their ids: the server may keep a file by another name than its sender's.
  const here = new Set(rows.map((r) => r.sender.id()))
  const before = link.files.filter((f) => !here.has(f.upload_id))
  const arrived = rows.filter((r) => r.state === 'done').length + before.filter((f) => f.finished).length
  const half = before.filter((f) => !f.finished)
  const whole = half.length === 0 && rows.every((r) => r.state === 'done')
  // What was begun in time goes on; nothing new is taken.
  const over = Date.parse(link.expires_at) <= serverTime().getTime()
  const headers = { Authorization: `Bearer ${token}` }

  // A link that no longer holds takes this step away: nothing goes on behind its back.
  useEffect(() => () => { for (const s of senders.current) s.stop() }, [])

  // The phone stays awake while something is on its way, where it can.
  useEffect(() => {
    if (!sending) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    const wake = (navigator as Navigator & { wakeLock?: { request: (kind: 'screen') => Promise<{ release: () => Promise<void> }> } }).wakeLock
    wake?.request('screen').then((held) => { lock.current = held }, () => undefined)
    return () => { removeEventListener('beforeunload', warn); void lock.current?.release(); lock.current = null }
  }, [sending])

  /** The same file, as far as its length tells: the link is not read anew for each that arrives here. */
  function arrivedBefore({ name, size }: File): string | null {
    const inLink = link.files.find((f) => f.finished && f.size_bytes === size)?.name
    const same = inLink ?? rows.find((r) => r.state === 'done' && r.file.size === size)?.file.name
    if (same === undefined) return null
    return same === name ? 'has arrived already' : `is as long, to the byte, as ${same}, which has arrived`
  }
  async function add(files: FileList | null) {
    const isHere = (file: File) => rows.some((r) => r.key === keyOf(file))
    setTwice([...(files ?? [])].filter(isHere).map((file) => file.name))
    for (const file of [...(files ?? [])]) {
      if (isHere(file)) continue
      const doubt = arrivedBefore(file) ?? await doubtAbout(file)
      if (doubt) setDoubts((all) => [...all.filter((d) => keyOf(d.file) !== keyOf(file)), { file, doubt, sendable: file.size > 0 }])
      else begin(file)
    }
  }
  function begin(file: File) {
    const key = keyOf(file)
    const put = (patch: Partial<Row>) => setRows((all) => all.map((r) => (r.key === key ? { ...r, ...patch } : r)))
    const sender = send(file, {
      metadata: { file_request: 'self' }, scope: link.code, headers, onProgress: (done) => put({ done }),
      onState: (state, reason, code) => {
        put({ state, reason })
        const ended = state === 'done' && Date.parse(link.expires_at) <= serverTime().getTime()
        if (ended || code?.startsWith('link_')) onChanged()
      },
    })
    senders.current.push(sender)
    setRows((all) => [...all, { key, file, done: 0, state: 'sending', sender }])
  }
  function settle(doubt: Doubt, sends: boolean) {
    setDoubts((all) => all.filter((d) => d !== doubt))
    choose.current?.focus()
    if (sends) begin(doubt.file)
  }
  function remove(row: Row) {
    setRows((all) => all.filter((r) => r.key !== row.key))
    choose.current?.focus()
    void row.sender.remove().then(onChanged)
  }
  function removeHalf(id: string) {
    choose.current?.focus()
    setTrouble(null)
    end(id, headers).catch(() => setTrouble(new LinkTrouble({ title: 'It could not be removed', detail: 'Nothing was changed. Try again in a moment.' }, -1))).then(onChanged)
  }
  async function done() {
    setBusy(true)
    setTrouble(null)
    try {
      onDone(await finish(token))
    } catch (error) {
      setTrouble(error instanceof LinkTrouble ? error : new LinkTrouble({ title: 'This page made a mistake' }, -1))
      onChanged()
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="g-stack">
      <h1 id="step-title" tabIndex={-1}>Choose the files</h1>
      {over && <p className="g-trouble wait" role="status"><strong>The time of this link is over</strong><span>What you have begun still goes to its end. Nothing else can be added.</span></p>}
      <p className="g-dim">Several at once are fine. If the signal drops or the phone locks, open this page again and choose the same file: it goes on where it stopped.</p>
      {(!over || half.length > 0) && <button ref={choose} type="button" className={arrived > 0 && !sending ? 'g-second' : 'g-main'} onClick={() => input.current?.click()}>{over ? 'Choose it again' : rows.length + before.length > 0 ? 'Choose more files' : 'Choose files'}</button>}
      <input ref={input} type="file" multiple hidden aria-label="Files to send" onChange={(e) => { void add(e.currentTarget.files).finally(() => { if (input.current) input.current.value = '' }) }} />
      {twice.length > 0 && <p className="g-dim" role="alert">{twice.join(', ')}: already here, not sent a second time.</p>}
      {doubts.map((d) => (
        <div key={keyOf(d.file)} className="g-trouble wait" role="alert">
          <strong>{d.file.name} {d.doubt}</strong>
          <div className="g-acts">
            {d.sendable && <button type="button" className="g-second" onClick={() => settle(d, true)}>Send it all the same</button>}
            <button type="button" className="g-quiet" onClick={() => settle(d, false)}>Leave it out</button>
          </div>
        </div>
      ))}
      {half.length > 0 && (
        <div className="g-trouble wait"><strong>{half.length === 1 ? `${half[0]?.name} did not arrive whole` : `${half.length} files did not arrive whole`}</strong><span>Choose {half.length === 1 ? 'it' : 'them'} again{over ? ', on the phone or computer on which you began' : ''}: only what is missing is sent.</span></div>
      )}
      <ul className="g-files">
        {before.map((f) => (
          <li key={f.upload_id}>
            <div className="g-file"><strong>{f.name}</strong>{f.finished ? <span className="g-good">✓ Arrived</span> : <span className="g-num">Not whole</span>}</div>
            <div className="g-under">
              <span className="g-dim">{bytes(f.size_bytes)}</span>
              {!f.finished && <button type="button" className="g-link" aria-label={`Remove ${f.name}`} onClick={() => removeHalf(f.upload_id)}>Remove</button>}
            </div>
          </li>
        ))}
        {rows.map((row) => <FileRow key={row.key} row={row} onRemove={() => remove(row)} />)}
      </ul>
      {trouble && <GuestTrouble trouble={trouble} zone={link.time_zone} />}
      <div className="g-acts">
        {arrived > 0 && !sending && !whole && <p className="g-dim">You can finish when each file has arrived. What has not: try it again, or remove it.</p>}
        {arrived > 0 && whole && doubts.length > 0 && <p id="doubts" className="g-dim">Decide about {doubts.map((d) => d.file.name).join(', ')} first, above.</p>}
        {arrived > 0 && (sending || whole) && <button type="button" className="g-main" disabled={sending || busy || doubts.length > 0} aria-describedby={doubts.length > 0 ? 'doubts' : undefined} onClick={done}>{sending ? 'Wait for the files' : busy ? 'Closing' : 'That is all: finish'}</button>}
        {rows.length === 0 && !over && <button type="button" className="g-quiet" onClick={onBack}>Back</button>}
      </div>
    </section>
  )
}
