/** How far this computer's clock is from the server's. */

/** By how many milliseconds a clock that shows `now` is ahead of the server that wrote `date` into an answer; 0 within a minute, which answers may take. */
export function skewOf(date: string | null, now: number): number {
  const ahead = date ? now - Date.parse(date) : 0
  return Math.abs(ahead) > 60_000 ? Math.round(ahead / 60_000) * 60_000 : 0
}

/** The same to the millisecond, by the server's own word `now` in an answer that was asked for at `asked` and came at `came`. */
export const aheadOf = (now: string, asked: number, came: number) => Math.round((asked + came) / 2) - Date.parse(now)

let skew = 0
const subs = new Set<() => void>()

/** Takes it from an answer; the last one counts, as a clock may be set right meanwhile. */
export function hear(answer: Response) {
  const heard = skewOf(answer.headers.get('Date'), Date.now())
  if (heard === skew) return
  skew = heard
  for (const sub of subs) sub()
}

export const clockSkew = {
  subscribe: (sub: () => void) => { subs.add(sub); return () => { subs.delete(sub) } },
  now: () => skew,
}
