import assert from 'node:assert/strict'
import test from 'node:test'
import { learn, leftText, secondsLeft } from './rate.ts'

function after(...told: [number, number][]) {
  return told.reduce<[number, number][]>((samples, [at, done]) => learn(samples, at, done), [])
}

test('how long the rest takes is told by the last seconds', () => {
  assert.equal(secondsLeft(after([0, 0], [1_000, 1_000]), 10_000), null)
  assert.equal(secondsLeft(after([0, 0], [4_000, 4_000]), 10_000), 6)
  // it was fast, and has been slow for long
  assert.equal(secondsLeft(after([0, 0], [4_000, 40_000], [30_000, 41_000], [40_000, 42_000]), 52_000), 100)
})

test('what began anew or stands still is not told from its past', () => {
  assert.equal(secondsLeft(after([0, 0], [5_000, 5_000], [6_000, 100]), 10_000), null)
  assert.equal(secondsLeft(after([0, 500], [9_000, 500]), 10_000), null)
  assert.equal(secondsLeft([], 10), null)
})

test('an estimate is rounded', () => {
  assert.deepEqual([0.2, 31, 58, 130, 7_200, 90_000].map(leftText), [
    'about 5 s left', 'about 35 s left', 'about 1 min left', 'about 2 min left', 'about 2.0 h left', 'about 25 h left',
  ])
})
