import assert from 'node:assert/strict'
import test from 'node:test'
import { byReason, gapsIn } from './coverage.ts'
import { bytes, clockOffset, compass, percent, retention } from './format.ts'
import { bounds, boxText, cone, destination, parseBox, parsePoint } from './geo.ts'

const at = (minute: number) => new Date(Date.UTC(2026, 10, 22, 21, minute)).toISOString()

test('gaps are what no span covers', () => {
  assert.deepEqual(gapsIn([{ from: at(0), to: at(30) }], at(5), at(7)), [])
  assert.deepEqual(gapsIn([], at(5), at(7)), [{ from: Date.parse(at(5)), to: Date.parse(at(7)) }])
  assert.deepEqual(gapsIn([{ from: at(6), to: at(9) }, { from: at(1), to: at(3) }], at(2), at(8)), [{ from: Date.parse(at(3)), to: Date.parse(at(6)) }])
  assert.deepEqual(gapsIn([{ from: at(0), to: at(6) }, { from: at(5), to: at(20) }], at(2), at(8)), [])
})
test('each reason for a gap is told once, with all that it is for', () => {
  const gap = (minute: number, reason?: string) => ({ from: at(minute), to: at(minute + 1), reason })
  const gaps = [gap(1, 'damaged'), gap(3), gap(5, 'damaged')]
  assert.deepEqual(byReason(gaps), [{ reason: 'damaged', gaps: [gaps[0], gaps[2]] }, { reason: 'the recorder has no footage', gaps: [gaps[1]] }])
  assert.deepEqual(byReason([]), [])
})
test('a cone starts at the camera and looks where it is told', () => {
  const ring = cone({ lat: 47, lon: 8 }, 90, 60, 100)
  assert.ok(ring)
  assert.deepEqual(ring[0], [8, 47])
  assert.ok(ring.slice(1, -1).every(([lon]) => lon > 8))
  assert.equal(cone({ lat: 47, lon: 8 }, null, 60, 100), null)
})
test('a hundred metres north is a hundred metres north', () => {
  const [lon, lat] = destination({ lat: 47, lon: 8 }, 0, 100)
  assert.ok(Math.abs(lon - 8) < 1e-9)
  assert.ok(Math.abs((lat - 47) * 111_195 - 100) < 0.1)
})
test('boxes and points from an address are numbers or nothing', () => {
  assert.deepEqual(parseBox('1,2,3,4'), [1, 2, 3, 4])
  assert.equal(parseBox('1,2,3'), null)
  assert.equal(parseBox(undefined), null)
  assert.deepEqual(parsePoint('47.1,8.2'), { lat: 47.1, lon: 8.2 })
  assert.equal(parsePoint('95,8'), null)
  assert.deepEqual(bounds([{ lat: 1, lon: 2 }, { lat: 3, lon: -2 }]), [-2, 1, 2, 3])
})
test('a box across the date line is written as the API takes it and read as the map does', () => {
  assert.equal(boxText([8, 46, 9, 47]), '8.00000,46.00000,9.00000,47.00000')
  assert.equal(boxText([175, -20, 185, -14]), '175.00000,-20.00000,-175.00000,-14.00000')
  assert.equal(boxText([535, -20, 545, -14]), '175.00000,-20.00000,-175.00000,-14.00000')
  assert.equal(boxText([-243, -85, 243, 84]), '-180.00000,-85.00000,180.00000,84.00000')
  assert.deepEqual(parseBox('175,-20,-175,-14'), [175, -20, 185, -14])
})
test('sizes, shares and bearings read well', () => {
  assert.equal(bytes(43_118_592), '43.1 MB')
  assert.equal(percent(1, 3), 33)
  assert.equal(percent(1, null), null)
  assert.equal(compass(359), 'N 359°')
  assert.equal(retention(168), '7 days')
  assert.equal(clockOffset(2400), '2.4 s fast')
  assert.equal(clockOffset(3_605_000), '60 min 5 s fast')
  assert.equal(clockOffset(-119_700), '2 min slow')
})
