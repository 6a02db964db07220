import type { Feature, FeatureCollection, Position } from 'geojson'

/** Such land is nowhere on a Mercator map; the atlas closes Antarctica there. */
const atPole = ([, lat = 0]: Position) => Math.abs(lat) > 89.9

/**
 * A ring without leaps: where it crosses 180° its longitudes go on beyond, instead of back across the whole map. A ring that
 * comes around the world, as the coast of Antarctica does, is closed along its pole.
 */
export function unwrapped(ring: Position[]): Position[] {
  let turn = 0
  const out = ring.map(([lon = 0, lat = 0], i): Position => {
    const step = i > 0 ? lon - (ring[i - 1]?.[0] ?? 0) : 0
    if (step > 180) turn -= 360
    if (step < -180) turn += 360
    return [lon + turn, lat]
  })
  const [first, last] = [out[0], out.at(-1)]
  if (turn === 0 || !first || !last) return out
  const pole = (first[1] ?? 0) < 0 ? -90 : 90
  return [...out, [last[0] ?? 0, pole], [first[0] ?? 0, pole], first]
}

const polygon = (rings: Position[][]) => rings.filter((ring) => !ring.every(atPole)).map(unwrapped)

/** Countries whose rings can be drawn on a flat map. */
export function flat(countries: FeatureCollection): FeatureCollection {
  const country = (feature: Feature): Feature => {
    const { geometry } = feature
    if (geometry.type === 'Polygon') return { ...feature, geometry: { ...geometry, coordinates: polygon(geometry.coordinates) } }
    if (geometry.type === 'MultiPolygon') return { ...feature, geometry: { ...geometry, coordinates: geometry.coordinates.map(polygon) } }
    return feature
  }
  return { ...countries, features: countries.features.map(country) }
}
