/** What the holder of a link writes, and the line about their recorder's clock that goes with it. */
export interface Written { words: string; clock: string | null }

const CLOCK = /^The recorder showed .+ when it was \S+Z\.$/m

/** What a recorder's clock showed at a moment of true time. */
export const clockLine = (shown: string, at: Date) => `The recorder showed ${shown} when it was ${at.toISOString().slice(0, 19)}Z.`

/** A comment that was sent, taken apart. */
export function apart(comment: string | null): Written {
  const clock = CLOCK.exec(comment ?? '')?.[0] ?? null
  return { words: (comment ?? '').replace(CLOCK, '').trim(), clock }
}

export const together = ({ words, clock }: Written) => [words.trim(), clock].filter(Boolean).join('\n') || undefined
