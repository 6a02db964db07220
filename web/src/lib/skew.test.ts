import assert from 'node:assert/strict'
import test from 'node:test'
import { aheadOf, skewOf } from './skew.ts'

test('a clock that is off by more than a minute is told from one that is not', () => {
  const date = 'Sat, 28 Nov 2026 01:00:00 GMT'
  const at = Date.parse(date)
  assert.equal(skewOf(date, at + 60_000), 0)
  assert.equal(skewOf(date, at - 59_000), 0)
  assert.equal(skewOf(date, at + 3 * 3_600_000 + 1_400), 3 * 3_600_000)
  assert.equal(skewOf(date, at - 90_000), -60_000)
  assert.ok(Number.isFinite(skewOf('no date', at)) && skewOf('no date', at) === 0 && skewOf(null, at) === 0)
})

test('how far a clock is ahead is reckoned at the middle of the way', () => {
  const now = '2026-11-28T01:00:00.250Z'
  const at = Date.parse(now)
  assert.equal(aheadOf(now, at + 37 * 60_000 - 100, at + 37 * 60_000 + 100), 37 * 60_000)
  assert.equal(aheadOf(now, at - 400, at), -200)
})
