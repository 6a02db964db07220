import type { Position } from '~/api/types.ts'

const R = 6_371_008.8
const rad = Math.PI / 180

/** The point at a distance and bearing from another. */
export function destination(from: Position, bearingDeg: number, metres: number): [number, number] {
  const d = metres / R
  const lat1 = from.lat * rad
  const b = bearingDeg * rad
  const lat2 = Math.asin(Math.sin(lat1) * Math.cos(d) + Math.cos(lat1) * Math.sin(d) * Math.cos(b))
  const lon2 = from.lon * rad + Math.atan2(Math.sin(b) * Math.sin(d) * Math.cos(lat1), Math.cos(d) - Math.sin(lat1) * Math.sin(lat2))
  return [((lon2 / rad + 540) % 360) - 180, lat2 / rad]
}

/** The wedge that a camera sees; a full circle when it looks everywhere. */
export function cone(at: Position, bearing: number | null, fov: number | null, range: number | null): [number, number][] | null {
  const reach = range ?? 40
  if (bearing === null && (fov === null || fov < 360)) return null
  const width = Math.min(360, fov ?? 70)
  const start = (bearing ?? 0) - width / 2
  const steps = Math.max(6, Math.ceil(width / 6))
  const arc: [number, number][] = []
  for (let i = 0; i <= steps; i += 1) arc.push(destination(at, start + (width * i) / steps, reach))
  if (width >= 360) return arc
  const apex: [number, number] = [at.lon, at.lat]
  return [apex, ...arc, apex]
}

export function circle(at: Position, metres: number): [number, number][] {
  return Array.from({ length: 65 }, (_, i) => destination(at, (i * 360) / 64, metres))
}

/** west, south, east, north */
export type Box = [number, number, number, number]

export function bounds(positions: Position[]): Box | null {
  if (positions.length === 0) return null
  const box: Box = [180, 90, -180, -90]
  for (const p of positions) {
    box[0] = Math.min(box[0], p.lon)
    box[1] = Math.min(box[1], p.lat)
    box[2] = Math.max(box[2], p.lon)
    box[3] = Math.max(box[3], p.lat)
  }
  return box
}

const wrap = (lon: number) => ((((lon + 180) % 360) + 360) % 360) - 180

/** As the API takes it: within 180° of Greenwich, and its west greater than its east where it lies across the date line. */
export function boxText([west, south, east, north]: Box): string {
  const around = east - west >= 360
  return [around ? -180 : wrap(west), south, around ? 180 : wrap(east), north].map((n) => n.toFixed(5)).join(',')
}

/** As the map takes it: its east goes on beyond 180°. */
export function parseBox(text: string | undefined): Box | null {
  const parts = (text ?? '').split(',').map(Number)
  const [west = 0, south = 0, east = 0, north = 0] = parts
  return parts.length === 4 && parts.every(Number.isFinite) ? [west, south, west > east ? east + 360 : east, north] : null
}

/** "lat,lon" */
export function parsePoint(text: string | undefined): Position | null {
  const parts = (text ?? '').split(',').map(Number)
  const [lat, lon] = parts
  return parts.length === 2 && lat !== undefined && lon !== undefined && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 ? { lat, lon } : null
}
