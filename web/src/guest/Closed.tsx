import { atHome } from '~/lib/time.ts'
import type { LinkTrouble } from './api.ts'

const STATES: Record<string, [string, string]> = {
  link_expired: ['This link is no longer good', 'Its time is over. What had arrived by then is kept. If you still have something to send, ask whoever gave you the link for a new one.'],
  link_revoked: ['This link was taken back', 'Whoever sent it does not need it any more, or has sent you another. What had arrived by then is kept.'],
  link_unknown: ['This link leads nowhere', 'A part of it may be missing. Open it again from the message, or point the camera at the code once more.'],
  unreachable: ['There is no connection', 'Nothing is lost. Try again when the phone is online.'],
}

export function Closed({ trouble, retry }: { trouble: LinkTrouble; retry: () => void }) {
  const [title, text] = STATES[trouble.code] ?? [trouble.message, trouble.detail || 'Nothing was changed. Try again in a moment.']
  return (
    <section className="g-stack" role="alert">
      <h1>{title}</h1>
      <p>{text}</p>
      {!['link_expired', 'link_revoked', 'link_unknown'].includes(trouble.code) && <button type="button" className="g-main" onClick={retry}>Try again</button>}
    </section>
  )
}

/** What went wrong, each sentence once, its times as the clocks at the camera show them. */
export function GuestTrouble({ trouble, zone }: { trouble: LinkTrouble; zone: string }) {
  const [title, text] = STATES[trouble.code] ?? [trouble.message, trouble.detail]
  return (
    <div className="g-trouble" role="alert">
      <strong>{title}</strong>
      {[...new Set([text ?? '', ...trouble.fields.map((f) => f.message)])].filter((sentence) => sentence && sentence !== title).map((sentence) => <span key={sentence}>{atHome(sentence, zone)}</span>)}
    </div>
  )
}
