import assert from 'node:assert/strict'
import test from 'node:test'
import { setByOthers } from './others.ts'

test('what two people changed at once is told at the field of the second', () => {
  const seen = { name: 'Gate', site: null, tags: ['door'], published: true, position: { lat: 1, lon: 2 }, version: 1 }
  const fresh = { ...seen, name: 'North gate', tags: [], position: { lat: 1, lon: 3 }, version: 2 }
  const said = (value: string) => `Somebody else changed this to ${value}. Saving puts yours in its place.`
  assert.deepEqual(setByOthers(seen, fresh, { site: 'Depot' }), {})
  assert.deepEqual(setByOthers(seen, fresh, { name: 'Gate 2', tags: ['x'], position: null, published: false }), {
    name: said('“North gate”'), tags: said('nothing'), position: said('lat 1, lon 3'),
  })
})
