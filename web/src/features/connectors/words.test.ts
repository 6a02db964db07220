import assert from 'node:assert/strict'
import test from 'node:test'
import { clockText } from './words.ts'

test('a clock that is off by two seconds or more is told', () => {
  assert.equal(clockText(600_000), 'Its clock is 10 min ahead of the server’s.')
  assert.equal(clockText(-2_000), 'Its clock is 2 s behind the server’s.')
  assert.deepEqual([clockText(1_999), clockText(-1_999), clockText(0), clockText(null)], [null, null, null, null])
})
