import type { Feature, FeatureCollection } from 'geojson'
import type { Position, Source } from '~/api/types.ts'
import { circle, cone } from '~/lib/geo.ts'

export function points(sources: Source[], chosen: Set<string>): FeatureCollection {
  const features: Feature[] = []
  for (const s of sources) {
    if (!s.position) continue
    features.push({
      type: 'Feature', geometry: { type: 'Point', coordinates: [s.position.lon, s.position.lat] },
      properties: { id: s.id, name: s.name, chosen: chosen.has(s.id) ? 1 : 0, live: s.status === 'offline' || s.status === 'vanished' ? 0 : 1 },
    })
  }
  return { type: 'FeatureCollection', features }
}

export function cones(sources: Source[], chosen: Set<string>): FeatureCollection {
  const features: Feature[] = []
  for (const s of sources) {
    const ring = s.position && cone(s.position, s.bearing_deg, s.fov_deg, s.range_m)
    if (!ring) continue
    features.push({ type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] }, properties: { id: s.id, chosen: chosen.has(s.id) ? 1 : 0 } })
  }
  return { type: 'FeatureCollection', features }
}

export function reach(near: Position | null, metres: number): FeatureCollection {
  if (!near) return { type: 'FeatureCollection', features: [] }
  return {
    type: 'FeatureCollection',
    features: [
      { type: 'Feature', geometry: { type: 'Polygon', coordinates: [circle(near, metres)] }, properties: {} },
      { type: 'Feature', geometry: { type: 'Point', coordinates: [near.lon, near.lat] }, properties: {} },
    ],
  }
}
