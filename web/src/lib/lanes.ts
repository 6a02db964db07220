/** Puts spans beside each other that share time: each in the first lane that is free where it begins. */
export function lanesOf(spans: { id: string; from: number; to: number }[]): { lanes: number; of: Map<string, number> } {
  const ends: number[] = []
  const of = new Map<string, number>()
  for (const { id, from, to } of [...spans].sort((a, b) => a.from - b.from)) {
    const free = ends.findIndex((end) => end <= from)
    const lane = free < 0 ? ends.length : free
    ends[lane] = to
    of.set(id, lane)
  }
  return { lanes: ends.length, of }
}
