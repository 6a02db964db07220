import { useRef } from 'react'

/** So many bytes had come at a time, in milliseconds. */
type Sample = [at: number, done: number]

/** What is older says nothing of how fast it goes now. */
const REMEMBERED_MS = 20_000
/** From less nothing can be told. */
const LEARNED_MS = 3_000

/** Adds what is known now; of what began anew the past says nothing. */
export function learn(samples: Sample[], at: number, done: number): Sample[] {
  const last = samples[samples.length - 1]
  if (last && done < last[1]) return [[at, done]]
  if (last && done === last[1]) return samples
  const first = samples.findIndex(([when]) => when >= at - REMEMBERED_MS)
  return [...(first < 0 ? samples.slice(-1) : samples.slice(first)), [at, done]]
}

/** How many seconds the rest will take at that rate, or null while that cannot be told. */
export function secondsLeft(samples: Sample[], total: number): number | null {
  const [first, last] = [samples[0], samples[samples.length - 1]]
  if (!first || !last || last[0] - first[0] < LEARNED_MS || last[1] <= first[1]) return null
  return ((total - last[1]) * (last[0] - first[0])) / 1000 / (last[1] - first[1])
}

/** Rounded as an estimate is: "about 2 min left". */
export function leftText(seconds: number): string {
  if (seconds < 55) return `about ${Math.max(5, Math.ceil(seconds / 5) * 5)} s left`
  if (seconds < 3300) return `about ${Math.round(seconds / 60)} min left`
  return `about ${(seconds / 3600).toFixed(seconds < 36_000 ? 1 : 0)} h left`
}

/** How long a transfer that is shown will still take; null while that cannot be told. */
export function useTimeLeft(done: number | undefined, total: number | null | undefined): string | null {
  const samples = useRef<Sample[]>([])
  if (done === undefined || !total) {
    samples.current = []
    return null
  }
  samples.current = learn(samples.current, Date.now(), done)
  const seconds = secondsLeft(samples.current, total)
  return seconds === null || done >= total ? null : leftText(seconds)
}
