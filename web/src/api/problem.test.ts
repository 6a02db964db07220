import assert from 'node:assert/strict'
import test from 'node:test'
import { Trouble } from './problem.ts'

test('that someone was faster is said only where somebody was', () => {
  const faster = /Someone was faster/
  assert.match(new Trouble({ code: 'wrong_state' }, 409).advice, faster)
  assert.match(new Trouble({ code: 'version' }, 412).advice, faster)
  assert.equal(new Trouble({ code: 'last_administrator', detail: 'Nobody else is one.' }, 409).advice, 'Nothing was changed.')
  assert.equal(new Trouble({ code: 'exists', detail: 'It is there. Nothing was changed.' }, 409).advice, '')
})

test('a lost answer says nothing of what was changed', () => {
  assert.doesNotMatch(Trouble.unreachable(true).advice, /Nothing was changed/)
  assert.match(Trouble.unreachable(true).advice, /may have arrived/)
  assert.doesNotMatch(Trouble.unreachable().advice, /arrived/)
})
