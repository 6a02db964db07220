import { useEffect, useRef, useState } from 'react'
import type { LinkView, Receipt } from '~/api/types.ts'
import { bytes, percent } from '~/lib/format.ts'
import { type Sender, type Sending, send } from '~/lib/upload.ts'
import { finish, LinkTrouble } from './api.ts'
import { GuestTrouble } from './Closed.tsx'

interface Row { key: string; file: File; done: number; state: Sending; reason?: string; sender?: Sender }
const WORDS: Record<Sending, string> = {
  sending: 'on its way', waiting: 'No signal. It goes on by itself.', stuck: 'It stopped.', done: 'Arrived',
}

export function FilesStep({ token, link, onBack, onGone, onDone }: { token: string; link: LinkView; onBack: () => void; onGone: () => void; onDone: (receipt: Receipt) => void }) {
  const [rows, setRows] = useState<Row[]>([])
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<LinkTrouble | null>(null)
  const input = useRef<HTMLInputElement>(null)
  const lock = useRef<{ release: () => Promise<void> } | null>(null)
  const sending = rows.some((r) => r.state === 'sending' || r.state === 'waiting')
  const here = new Set(rows.map((r) => `${r.file.name}:${r.file.size}`))
  const before = link.files.filter((f) => !here.has(`${f.name}:${f.size_bytes}`))
  const arrived = rows.filter((r) => r.state === 'done').length + before.filter((f) => f.finished).length
  const half = before.filter((f) => !f.finished)

  // The phone stays awake while something is on its way, where it can.
  useEffect(() => {
    if (!sending) return
    const warn = (event: BeforeUnloadEvent) => event.preventDefault()
    addEventListener('beforeunload', warn)
    const wake = (navigator as Navigator & { wakeLock?: { request: (kind: 'screen') => Promise<{ release: () => Promise<void> }> } }).wakeLock
    wake?.request('screen').then((held) => { lock.current = held }, () => undefined)
    return () => { removeEventListener('beforeunload', warn); void lock.current?.release(); lock.current = null }
  }, [sending])

  function add(files: FileList | null) {
    for (const file of files ?? []) {
      const key = `${file.name}:${file.size}:${file.lastModified}`
      if (rows.some((r) => r.key === key)) continue
      const put = (patch: Partial<Row>) => setRows((all) => all.map((r) => (r.key === key ? { ...r, ...patch } : r)))
      const sender = send(file, {
        metadata: { file_request: 'self' }, scope: link.code, headers: { Authorization: `Bearer ${token}` },
        onProgress: (done) => put({ done }), onState: (state, reason, code) => {
          put({ state, reason })
          // Revoked or run out meanwhile: the page says so instead of offering to finish.
          if (code?.startsWith('link_')) onGone()
        },
      })
      setRows((all) => [...all, { key, file, done: 0, state: 'sending', sender }])
    }
  }
  function remove(row: Row) {
    row.sender?.remove()
    setRows((all) => all.filter((r) => r.key !== row.key))
  }
  async function done() {
    setBusy(true)
    setTrouble(null)
    try {
      onDone(await finish(token))
    } catch (error) {
      setTrouble(error instanceof LinkTrouble ? error : new LinkTrouble({ title: 'This page made a mistake' }, -1))
    } finally {
      setBusy(false)
    }
  }
  return (
    <section className="g-stack">
      <h1 id="step-title" tabIndex={-1}>Choose the files</h1>
      <p className="g-dim">Several at once are fine. If the signal drops or the phone locks, open this page again and choose the same file: it goes on where it stopped.</p>
      <button type="button" className={arrived > 0 && !sending ? 'g-second' : 'g-main'} onClick={() => input.current?.click()}>{rows.length + before.length > 0 ? 'Choose more files' : 'Choose files'}</button>
      <input ref={input} type="file" multiple hidden aria-label="Files to send" onChange={(e) => { add(e.currentTarget.files); e.currentTarget.value = '' }} />
      {half.length > 0 && (
        <div className="g-trouble wait"><strong>{half.length === 1 ? `${half[0]?.name} did not arrive whole` : `${half.length} files did not arrive whole`}</strong><span>Choose {half.length === 1 ? 'it' : 'them'} again: only what is missing is sent.</span></div>
      )}
      <ul className="g-files">
        {before.filter((f) => f.finished).map((f) => (
          <li key={f.upload_id}><div className="g-file"><strong>{f.name}</strong><span className="g-good">✓ Arrived</span></div><span className="g-dim">{bytes(f.size_bytes)}</span></li>
        ))}
        {rows.map((row) => {
          const share = percent(row.done, row.file.size) ?? 0
          return (
            <li key={row.key}>
              <div className="g-file"><strong>{row.file.name}</strong>{row.state === 'done' ? <span className="g-good">✓ Arrived</span> : <span className="g-num">{share} %</span>}</div>
              <div className="g-bar" role="progressbar" aria-label={row.file.name} aria-valuenow={share} aria-valuemin={0} aria-valuemax={100} data-state={row.state}><i style={{ width: `${share}%` }} /></div>
              <span className={row.state === 'stuck' ? 'g-bad' : 'g-dim'} role="status">
                {row.state === 'sending' ? `${bytes(row.done)} of ${bytes(row.file.size)}` : row.state === 'done' ? bytes(row.file.size) : row.state === 'stuck' ? row.reason : WORDS[row.state]}
                {row.state === 'stuck' && <> <button type="button" className="g-link" onClick={() => row.sender?.again()}>Try again</button></>}
                {row.state === 'waiting' && <> <button type="button" className="g-link" onClick={() => row.sender?.again()}>Try now</button></>}
                {row.state !== 'done' && <> <button type="button" className="g-link" aria-label={`Remove ${row.file.name}`} onClick={() => remove(row)}>Remove</button></>}
              </span>
            </li>
          )
        })}
      </ul>
      {trouble && <GuestTrouble trouble={trouble} />}
      <div className="g-acts">
        {arrived > 0 && <button type="button" className="g-main" disabled={sending || busy} onClick={done}>{sending ? 'Wait for the files' : busy ? 'Closing' : 'That is all: finish'}</button>}
        {rows.length === 0 && <button type="button" className="g-quiet" onClick={onBack}>Back</button>}
      </div>
    </section>
  )
}
