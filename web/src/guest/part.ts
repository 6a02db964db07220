import type { LinkView } from '~/api/types.ts'
import { onLimit, span } from '~/lib/time.ts'

export interface Part { from: string | null; to: string | null }

/** A part as it was typed, to the second, within what is asked for, which need not begin and end with one. */
export const partOf = (from: string | null, to: string | null, asked: Part): Part =>
  ({ from: from && onLimit(from, asked.from), to: to && onLimit(to, asked.to) })

/** What is wrong with a part that somebody says they have. */
export function wrongPart(part: Part, { from, to, time_zone }: Pick<LinkView, 'from' | 'to' | 'time_zone'>): string | null {
  if (!part.from || !part.to) return 'Give the day and the time of both.'
  if (part.from >= part.to) return 'The part ends before it begins.'
  const isOutside = (from && Date.parse(part.from) < Date.parse(from)) || (to && Date.parse(part.to) > Date.parse(to))
  return isOutside && from && to ? `You are asked for ${span(from, to, time_zone)}. Say which part of that you have.` : null
}
