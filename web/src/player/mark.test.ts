import assert from 'node:assert/strict'
import test from 'node:test'
import { viewerMark } from './mark.ts'

test('the name of whoever looks stands within the picture, however long it is', () => {
  assert.deepEqual(viewerMark('Ana Ruiz', 1920, 1080), { x: 960, y: 918, size: 1920 / 36 })
  // A letter is about six tenths as wide as it is high.
  const name = 'W'.repeat(200)
  assert.ok(viewerMark(name, 640, 480).size * 0.66 * name.length < 640)
  assert.ok(viewerMark('Ana Ruiz', 360, 640).size * 0.66 * 8 < 360)
})
