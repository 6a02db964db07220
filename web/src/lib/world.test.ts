import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'
import type { FeatureCollection, Position } from 'geojson'
import { feature } from 'topojson-client'
import { flat, unwrapped } from './world.ts'

const longitudes = (ring: Position[]) => ring.map(([lon]) => lon)

test('a ring that stays on one side is left as it is', () => {
  const ring = [[8, 47], [9, 47], [9, 48], [8, 47]]
  assert.deepEqual(unwrapped(ring), ring)
})
test('a ring across 180° goes on beyond it, either way, and comes back', () => {
  assert.deepEqual(longitudes(unwrapped([[179, -16], [-179, -16], [-179, -17], [179, -17], [179, -16]])), [179, 181, 181, 179, 179])
  assert.deepEqual(longitudes(unwrapped([[-179, -16], [179, -16], [179, -17], [-179, -16]])), [-179, -181, -181, -179])
  assert.deepEqual(longitudes(unwrapped([[-180, -16], [180, -16], [180, -17], [-180, -16]])), [-180, -180, -180, -180])
})
test('a ring around the world is closed along its pole', () => {
  const coast = [[-170, -70], [-60, -64], [60, -67], [170, -71], [-170, -70]]
  assert.deepEqual(unwrapped(coast), [[-170, -70], [-60, -64], [60, -67], [170, -71], [190, -70], [190, -90], [-170, -90], [-170, -70]])
})
test('no ring of the atlas leaps, and each ends where it began', () => {
  const atlas = JSON.parse(readFileSync('node_modules/world-atlas/countries-50m.json', 'utf8'))
  const { features } = flat(feature(atlas, atlas.objects.countries) as unknown as FeatureCollection)
  const rings = features.flatMap(({ geometry }) => (geometry.type === 'Polygon' ? geometry.coordinates : geometry.type === 'MultiPolygon' ? geometry.coordinates.flat() : []))
  assert.ok(rings.length > 1000)
  for (const ring of rings) {
    assert.deepEqual(ring[0], ring.at(-1))
    ring.forEach(([lon = 0, lat = 0], i) => {
      const before = ring[i - 1]
      // Only the closing of Antarctica goes that far, at its pole.
      if (before && Math.abs(lat) < 90) assert.ok(Math.abs(lon - (before[0] ?? 0)) <= 180, `${before} to ${lon},${lat}`)
    })
  }
})
