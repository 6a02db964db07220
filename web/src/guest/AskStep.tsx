import type { LinkView } from '~/api/types.ts'
import { moment, span, duration, utc } from '~/lib/time.ts'

export function AskStep({ link, onNext }: { link: LinkView; onNext: () => void }) {
  return (
    <section className="g-stack">
      <h1 id="step-title" tabIndex={-1}>{link.requester} of {link.organization} asks you for video</h1>
      <dl className="g-facts">
        {link.name !== link.source && <div><dt>About</dt><dd>{link.name}</dd></div>}
        {link.source && <div><dt>Camera</dt><dd>{link.source}</dd></div>}
        {link.from && link.to && <div><dt>Minutes</dt><dd title={`${utc(link.from)} – ${utc(link.to)}`}>{span(link.from, link.to, link.time_zone)}<span className="g-dim"> ({duration(Date.parse(link.to) - Date.parse(link.from))})</span></dd></div>}
        <div><dt>Good until</dt><dd title={utc(link.expires_at)}>{moment(link.expires_at, link.time_zone, false)}</dd></div>
      </dl>
      {link.description && <p className="g-quote">{link.description}</p>}
      <div className="g-code">
        <span>Is this real? Call {link.organization} on a number you know, and compare this code:</span>
        <strong>{link.code}</strong>
      </div>
      <p className="g-dim">You need no account. You may say no. Nothing is sent until you choose files yourself.</p>
      <button type="button" className="g-main" onClick={onNext}>Go on</button>
    </section>
  )
}
