import type { Gap, Span } from '~/api/types.ts'

const at = (time: string) => new Date(time).getTime()

/** The parts of a window that no span covers, in order. */
export function gapsIn(spans: Span[], from: string, to: string): { from: number; to: number }[] {
  const start = at(from)
  const end = at(to)
  const sorted = spans.map((s) => ({ from: at(s.from), to: at(s.to) })).filter((s) => s.to > start && s.from < end).sort((a, b) => a.from - b.from)
  const gaps: { from: number; to: number }[] = []
  let reached = start
  for (const span of sorted) {
    if (span.from > reached) gaps.push({ from: reached, to: span.from })
    reached = Math.max(reached, span.to)
  }
  if (reached < end) gaps.push({ from: reached, to: end })
  return gaps
}

/** Each reason once, in the order in which it first occurs, with all that it is for. */
export function byReason(gaps: Gap[]): { reason: string; gaps: Gap[] }[] {
  const why = (gap: Gap) => gap.reason ?? 'the recorder has no footage'
  return [...new Set(gaps.map(why))].map((reason) => ({ reason, gaps: gaps.filter((gap) => why(gap) === reason) }))
}
