/** Times on screen: always in a named zone; the wire is always UTC. */

const formats = new Map<string, Intl.DateTimeFormat>()
function format(zone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = zone + JSON.stringify(options)
  let found = formats.get(key)
  if (!found) {
    found = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', ...options })
    formats.set(key, found)
  }
  return found
}

const DAY: Intl.DateTimeFormatOptions = { day: '2-digit', month: 'short', year: 'numeric' }
const CLOCK: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit' }

/** The short name of the zone at that moment, e.g. PST or GMT+1. */
export function zoneName(at: Date | string, zone: string): string {
  if (zone === 'UTC') return 'UTC'
  const options: Intl.DateTimeFormatOptions = { timeZone: zone, timeZoneName: 'short', year: 'numeric' }
  const part = new Intl.DateTimeFormat('en-US', options).formatToParts(new Date(at)).find((p) => p.type === 'timeZoneName')
  return part?.value ?? zone
}

export const day = (at: string, zone: string) => format(zone, DAY).format(new Date(at))
export const clock = (at: string, zone: string) => format(zone, CLOCK).format(new Date(at))
/** "21:05:10 PST" */
export const zonedClock = (at: string, zone: string) => `${clock(at, zone)} ${zoneName(at, zone)}`
/** To the millisecond: of one picture, where a second is long. */
export const exactClock = (at: string, zone: string) => format(zone, { ...CLOCK, fractionalSecondDigits: 3 }).format(new Date(at))

/** "22 Nov 2026, 21:05:10 PST" */
export function moment(at: string, zone: string, seconds = true): string {
  const time = seconds ? clock(at, zone) : clock(at, zone).slice(0, 5)
  return `${day(at, zone)}, ${time} ${zoneName(at, zone)}`
}

/** "22 Nov 2026, 21:05:10.900 PST" */
export const exactMoment = (at: string, zone: string) => `${day(at, zone)}, ${exactClock(at, zone)} ${zoneName(at, zone)}`

/** A sentence of somebody else's, its times told in a zone; what only looks like one stays. */
export const atHome = (sentence: string, zone: string) => sentence.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (at) => (Number.isNaN(Date.parse(at)) ? at : moment(at, zone)))

/** "2026-11-22 05:05:10 UTC" */
export const utc = (at: string) => `${new Date(at).toISOString().replace('T', ' ').replace(/\.000Z$/, '').replace(/Z$/, '')} UTC`

/** "22 Nov 2026, 21:05:10 – 21:25:10 PST", to the nearest second: a window that ends in its last frame, a tenth early, ends with it. Whole minutes are written without seconds. */
export function span(begins: string, ends: string, zone: string): string {
  const [from, to] = [nearestSecond(begins), nearestSecond(ends)]
  const whole = Date.parse(from) % 60_000 === 0 && Date.parse(to) % 60_000 === 0
  const time = (at: string) => (whole ? clock(at, zone).slice(0, 5) : clock(at, zone))
  const end = day(from, zone) === day(to, zone) ? time(to) : `${day(to, zone)}, ${time(to)}`
  const [before, after] = [zoneName(from, zone), zoneName(to, zone)]
  return `${day(from, zone)}, ${time(from)}${before === after ? '' : ` ${before}`} – ${end} ${after}`
}

const nearestSecond = (at: string) => new Date(Math.round(Date.parse(at) / 1000) * 1000).toISOString()

/** "2 min", "1 h 20 min", "41 h", "6 d 4 h": two units at most. */
export function duration(ms: number): string {
  const s = Math.round(Math.abs(ms) / 1000)
  if (s < 60) return `${s} s`
  const parts: [number, string][] = [[86400, 'd'], [3600, 'h'], [60, 'min'], [1, 's']]
  const out: string[] = []
  let rest = s
  for (const [unit, name] of parts) {
    const n = Math.floor(rest / unit)
    rest -= n * unit
    if (n > 0) out.push(`${n} ${name}`)
    else if (out.length > 0) break
    if (out.length === 2) break
  }
  return out.join(' ')
}

/** "3 min ago", "in 2 h" */
export function relative(at: string, now = Date.now()): string {
  const ms = new Date(at).getTime() - now
  if (Math.abs(ms) < 60_000) return 'now'
  return ms < 0 ? `${duration(roughly(ms))} ago` : `in ${duration(roughly(ms))}`
}

function roughly(ms: number): number {
  const unit = Math.abs(ms) > 172_800_000 ? 86_400_000 : Math.abs(ms) > 3_600_000 ? 3_600_000 : 60_000
  return Math.floor(Math.abs(ms) / unit) * unit
}

/** Minutes that a zone is ahead of UTC at a moment. */
export function offsetMinutes(at: Date, zone: string): number {
  const options: Intl.DateTimeFormatOptions = {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  }
  const p = Object.fromEntries(format(zone, options).formatToParts(at).map((part) => [part.type, part.value]))
  const wall = Date.UTC(Number(p.year), Number(p.month) - 1, Number(p.day), Number(p.hour), Number(p.minute), Number(p.second))
  return Math.round((wall - Math.floor(at.getTime() / 1000) * 1000) / 60_000)
}

/** "2026-11-22T21:05:10" as a clock in the zone shows it, for a datetime-local field. */
export function toWall(at: string, zone: string): string {
  const date = new Date(at)
  return new Date(date.getTime() + offsetMinutes(date, zone) * 60_000).toISOString().slice(0, 19)
}

/** The moment that a wall time means in a zone; null when the text is no time. In a repeated hour, the first. */
export function fromWall(wall: string, zone: string): string | null {
  const guess = Date.parse(`${wall.length === 16 ? `${wall}:00` : wall}Z`)
  if (Number.isNaN(guess)) return null
  const first = guess - offsetMinutes(new Date(guess - 86_400_000), zone) * 60_000
  if (first + offsetMinutes(new Date(first), zone) * 60_000 === guess) return new Date(first).toISOString()
  const second = guess - offsetMinutes(new Date(first), zone) * 60_000
  const fits = second + offsetMinutes(new Date(second), zone) * 60_000 === guess
  return new Date(fits ? second : first).toISOString()
}

/** Both moments that a wall time means in the hour that a zone has twice, where the clocks are set back; null where it means one. */
export function bothOf(wall: string, zone: string): [string, string] | null {
  const first = fromWall(wall, zone)
  if (!first) return null
  const [before, after] = [offsetMinutes(new Date(first), zone), offsetMinutes(new Date(Date.parse(first) + 86_400_000), zone)]
  const second = addSeconds(first, (before - after) * 60)
  return before > after && toWall(second, zone) === toWall(first, zone) ? [first, second] : null
}

/** The moment that a wall time means. Of the hour that occurs twice the first one, unless `like` is of the second: whoever chose that goes on with it. */
export function momentOf(wall: string, zone: string, like: string | null): string | null {
  const both = bothOf(wall, zone)
  const isSecond = both && like && bothOf(toWall(like, zone), zone) && offsetMinutes(new Date(like), zone) === offsetMinutes(new Date(both[1]), zone)
  return isSecond ? both[1] : fromWall(wall, zone)
}

/** What a clock shows, as people copy it: "21:05:40", "9.05 pm". Null when it is no time of the day. */
export function reading(text: string): string | null {
  const found = /^(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\s*([ap])\.?m\.?)?$/i.exec(text.trim())
  if (!found) return null
  const [hour, minute, second] = [Number(found[1]), Number(found[2]), Number(found[3] ?? 0)]
  const fits = found[4] ? hour >= 1 && hour <= 12 : hour < 24
  return fits && minute < 60 && second < 60 ? text.trim() : null
}

/** Times are typed to the second, and a limit may lie within one: whoever types that second means the limit. */
export const onLimit = (at: string, limit: string | null | undefined) =>
  (limit && Math.floor(Date.parse(at) / 1000) === Math.floor(Date.parse(limit) / 1000) ? limit : at)

export function addSeconds(at: string, seconds: number): string {
  return new Date(new Date(at).getTime() + seconds * 1000).toISOString()
}
export const seconds = (from: string, to: string) => (new Date(to).getTime() - new Date(from).getTime()) / 1000

/** When what stands at a second of some footage was recorded: reckoned from the last point of its clock before that; milliseconds. */
export function recordedAt(points: { at_ms: number; from: string }[], second: number): number | null {
  const ms = second * 1000
  const last = points.findLast((point) => point.at_ms <= ms) ?? points[0]
  return last ? Date.parse(last.from) + ms - last.at_ms : null
}

/** Seconds of some footage, between two pictures, for which there is none. */
export interface Blank { from: number; to: number }

/** Where in some footage of a length in seconds its gaps lie: by its clock, as in `recordedAt`. */
export function blanks(points: { at_ms: number; from: string }[], gaps: { from: string; to: string }[], length: number): Blank[] {
  return gaps.flatMap((gap) => {
    const point = points.findLast((p) => p.from <= gap.from) ?? points[0]
    if (!point) return []
    const from = point.at_ms / 1000 + seconds(point.from, gap.from)
    const [begins, ends] = [Math.max(0, from), Math.min(length, from + seconds(gap.from, gap.to))]
    return ends - begins > 0.05 ? [{ from: begins, to: ends }] : []
  })
}
