import assert from 'node:assert/strict'
import test from 'node:test'
import { lanesOf } from './lanes.ts'

test('files of the same minutes lie in lanes of their own, those that follow share one', () => {
  const { lanes, of } = lanesOf([{ id: 'c', from: 20, to: 30 }, { id: 'a', from: 0, to: 20 }, { id: 'b', from: 0, to: 20 }, { id: 'd', from: 25, to: 28 }])
  assert.equal(lanes, 2)
  assert.deepEqual([of.get('a'), of.get('b'), of.get('c'), of.get('d')], [0, 1, 0, 1])
})
