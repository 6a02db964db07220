import type { LinkReply } from '~/api/types.ts'

const ANSWERS: Record<LinkReply, string> = {
  have: 'its holder has the footage.', part: 'its holder has a part of it.', nothing: 'its holder has nothing.', no: 'its holder declined.',
}

/** What the holder of an upload link answered, in words. */
export const replyText = (answer: LinkReply) => ANSWERS[answer]
