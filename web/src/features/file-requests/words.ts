import type { LinkReplied, LinkReply } from '~/api/types.ts'
import { span } from '~/lib/time.ts'

const ANSWERS: Record<LinkReply, string> = {
  have: 'its holder has the footage.', part: 'its holder has a part of it.', nothing: 'its holder has nothing.', no: 'its holder declined.',
}

/** What the holder of an upload link answered, in words. */
export const replyText = ({ answer, part }: LinkReplied, zone: string) => (part ? `its holder has only ${span(part.from, part.to, zone)}.` : ANSWERS[answer])
