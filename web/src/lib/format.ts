export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = n
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`
}

export function metres(m: number): string {
  return m < 1000 ? `${Math.round(m)} m` : `${(m / 1000).toFixed(m < 10_000 ? 1 : 0)} km`
}

const POINTS = ['N', 'NE', 'E', 'SE', 'S', 'SW', 'W', 'NW']
export const compass = (deg: number) => `${POINTS[Math.round((((deg % 360) + 360) % 360) / 45) % 8]} ${Math.round(deg)}°`

export const percent = (done: number, total: number | null) =>
  total && total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : null

/** How much of some footage is here; while it is fetched, its length is an estimate. */
export function hereText({ bytes_done, bytes_total }: { bytes_done: number; bytes_total: number | null }, state: string): string {
  if (bytes_total) return `${bytes(bytes_done)} of ${state === 'exporting' ? 'about ' : ''}${bytes(bytes_total)}`
  return bytes_done > 0 ? `${bytes(bytes_done)} so far` : 'Nothing has come yet'
}

export function retention(hours: number): string {
  if (hours % 24 === 0) return hours === 24 ? '1 day' : `${hours / 24} days`
  return `${hours} h`
}

export const number = (n: number) => n.toLocaleString('en-GB')

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${number(n)} ${n === 1 ? one : many}`
}

/** "no_such_thing" → "No such thing" */
export function sentence(name: string): string {
  const text = name.replaceAll(/[_.-]+/g, ' ').trim()
  return text.charAt(0).toUpperCase() + text.slice(1)
}

export const coordinates = (lat: number, lon: number) => `${lat.toFixed(5)}, ${lon.toFixed(5)}`

export function clockOffset(ms: number): string {
  if (Math.abs(ms) < 50) return 'right to within 0.05 s'
  const s = Math.abs(ms) / 1000
  const whole = Math.round(s)
  const text = whole < 120 ? `${s.toFixed(s < 10 ? 1 : 0)} s` : [`${Math.floor(whole / 60)} min`, whole % 60 && `${whole % 60} s`].filter(Boolean).join(' ')
  return ms > 0 ? `${text} fast` : `${text} slow`
}
