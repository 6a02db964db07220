import { useState } from 'react'
import type { LinkView, Receipt } from '~/api/types.ts'
import { bytes } from '~/lib/format.ts'
import { moment, utc } from '~/lib/time.ts'

/** What arrived, when, with the fingerprint of each file. */
export function ReceiptView({ link, receipt }: { link: LinkView; receipt: Receipt | null }) {
  const at = receipt?.received_at ?? link.finished_at ?? ''
  const files = receipt?.files ?? link.files.filter((f) => f.finished)
  const text = [`${link.organization}: ${link.name}`, `Received ${at}`, ...files.map((f) => `${f.sha256 ?? ''}  ${f.name}  ${f.size_bytes} bytes`)].join('\n')
  const [copied, setCopied] = useState(false)
  return (
    <section className="g-stack">
      <h1 id="step-title" tabIndex={-1}>Thank you. It has arrived.</h1>
      <p>{link.organization} has received {files.length === 1 ? 'this file' : `these ${files.length} files`} on <span title={at && utc(at)}>{at && moment(at, link.time_zone)}</span>.</p>
      <ul className="g-files">
        {files.map((f) => (
          <li key={f.name + f.size_bytes}>
            <div className="g-file"><strong>{f.name}</strong><span className="g-num">{bytes(f.size_bytes)}</span></div>
            {f.sha256 ? <code className="g-hash">{f.sha256}</code> : <span className="g-dim">Its fingerprint is being made.</span>}
          </li>
        ))}
      </ul>
      <p className="g-dim">The long line under each file is its fingerprint (SHA-256). Whoever has the same file gets the same line: it proves that nothing was changed on the way. Keep your recording until you are told otherwise.</p>
      <div className="g-acts g-noprint">
        <button type="button" className="g-main" onClick={() => print()}>Print or save this receipt</button>
        <button type="button" className="g-quiet" onClick={() => navigator.clipboard?.writeText(text).then(() => setCopied(true), () => undefined)}>{copied ? 'Copied' : 'Copy as text'}</button>
      </div>
    </section>
  )
}

export function Thanks({ link }: { link: LinkView }) {
  return (
    <section className="g-stack">
      <h1 id="step-title" tabIndex={-1}>Thank you for the answer</h1>
      <p>{link.organization} has been told: {link.answer === 'no' ? 'you would rather not send video.' : 'there is nothing for these minutes.'} You can close this page.</p>
      <p className="g-dim">If you find something after all, tell them: they can send you a new link.</p>
    </section>
  )
}
