import { bytes, percent } from '~/lib/format.ts'
import type { Sender, Sending } from '~/lib/upload.ts'

export interface Row { key: string; file: File; done: number; state: Sending; reason?: string; sender: Sender }

/** A file that was chosen here: how far it is, what stopped it, and the way to take it back. */
export function FileRow({ row: { file, done, state, reason, sender }, onRemove }: { row: Row; onRemove: () => void }) {
  const share = percent(done, file.size) ?? 0
  return (
    <li>
      <div className="g-file">
        <strong>{file.name}</strong>
        {state === 'done' ? <span className="g-good">✓ Arrived</span> : <span className="g-num">{state === 'stuck' ? 'Stopped' : `${share} %`}</span>}
      </div>
      <div className="g-bar" role="progressbar" aria-label={file.name} aria-valuenow={share} aria-valuemin={0} aria-valuemax={100} data-state={state}><i style={{ width: `${share}%` }} /></div>
      <div className="g-under">
        <span className={state === 'stuck' ? 'g-bad' : 'g-dim'} role="status">
          {state === 'stuck' ? reason : state === 'waiting' ? 'No signal. It goes on by itself.' : state === 'sending' ? `${bytes(done)} of ${bytes(file.size)}` : bytes(file.size)}
        </span>
        {(state === 'stuck' || state === 'waiting') && <button type="button" className="g-link" onClick={sender.again}>{state === 'stuck' ? 'Try again' : 'Try now'}<span className="g-unseen"> {file.name}</span></button>}
        {state !== 'done' && <button type="button" className="g-link" aria-label={`Remove ${file.name}`} onClick={onRemove}>Remove</button>}
      </div>
    </li>
  )
}
