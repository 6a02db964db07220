import type { LinkReplied } from '~/api/types.ts'
import { useZone } from '~/features/session/me.ts'
import { atHome } from '~/lib/time.ts'
import { replyText } from './words.ts'
import './link.css'

/** What the holder of an upload link answered, and wrote: words of somebody without an account, told as theirs. */
export function Reply({ of: reply }: { of: LinkReplied }) {
  const zone = useZone()
  return (
    <div className="small">
      <span className="dim">From the upload link: </span>{replyText(reply, zone)}
      {reply.comment && <blockquote className="quoted">{atHome(reply.comment, zone)}</blockquote>}
    </div>
  )
}
