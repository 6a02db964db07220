import assert from 'node:assert/strict'
import test from 'node:test'
import type { Item } from '~/api/types.ts'
import { lastsUntil } from './words.ts'

const item = (hold: Item['hold'], overwrite_at: string | null, more: Partial<Item> = {}) => ({ state: 'pending', hold, overwrite_at, held_until: null, ...more }) as Item

test('what is held is not counted down', () => {
  const held = item('held', '2026-11-27T10:00:00Z', { held_until: '2026-12-27T10:00:00Z' })
  const loose = item('none', '2026-11-29T10:00:00Z')
  assert.deepEqual(lastsUntil([held, loose, item('none', null)]), { held: false, at: loose.overwrite_at })
  assert.deepEqual(lastsUntil([held]), { held: true, at: held.held_until })
  assert.deepEqual(lastsUntil([item('asked', '2026-11-27T10:00:00Z')]), { held: false, at: '2026-11-27T10:00:00Z' })
})
test('what has been fetched or decided against is not waited for', () => {
  assert.equal(lastsUntil([]), null)
  assert.equal(lastsUntil([item('none', '2026-11-27T10:00:00Z', { state: 'released' }), item('freed', null, { state: 'denied' })]), null)
})
