import type { Source } from '~/api/types.ts'
import { useMe } from '~/features/session/me.ts'

/** Who decides, and what happens then. */
export function WhatFollows({ sources }: { sources: Source[] }) {
  const me = useMe()
  const owners = [...new Set(sources.map((s) => s.organization.name))]
  const byHand = sources.filter((s) => !s.connector)
  const asleep = sources.filter((s) => s.connector && !s.connector.online)
  return (
    <section className="stack" aria-label="What happens next">
      <h3>Who decides, and what happens next</h3>
      <ol className="follows">
        <li>
          {owners.length === 0 ? 'The approvers of your agency look at the place and the minutes.' : <>The approvers of <strong>{owners.join(', ')}</strong> decide, each for their own cameras.</>}
          {me.installation.mail_delivers ? ' They are told by e-mail now.' : ' They find it in their review inbox.'}
        </li>
        {sources.length > byHand.length && <li>What they approve is exported by the recorder and arrives by itself.</li>}
        {(byHand.length > 0 || sources.length === 0) && <li>{sources.length === 0 ? 'Footage comes' : `${byHand.map((s) => s.name).join(', ')}: no connector, so footage comes`} through an upload link that the approver hands out.</li>}
        {asleep.length > 0 && <li className="tone-wait">{asleep.map((s) => s.name).join(', ')}: the recorder is offline. It is waited for until the deadline.</li>}
        <li>You see every step on the request’s page, and are told when something is released.</li>
      </ol>
    </section>
  )
}
