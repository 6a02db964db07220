import assert from 'node:assert/strict'
import test from 'node:test'
import { apart, clockLine, together } from './words.ts'

test('words and the line about the clock go together and come apart again', () => {
  const clock = clockLine('9:05 pm', new Date('2026-11-28T05:05:10.700Z'))
  assert.equal(clock, 'The recorder showed 9:05 pm when it was 2026-11-28T05:05:10Z.')
  for (const written of [{ words: 'Old disk.\nAsk Joe.', clock }, { words: '', clock }, { words: 'Only words.', clock: null }]) assert.deepEqual(apart(together(written) ?? null), written)
  assert.equal(together({ words: '  ', clock: null }), undefined)
  assert.deepEqual(apart(null), { words: '', clock: null })
})
