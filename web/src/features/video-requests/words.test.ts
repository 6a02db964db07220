import assert from 'node:assert/strict'
import test from 'node:test'
import type { Item } from '~/api/types.ts'
import { lastsUntil, reasonText, waitingText } from './words.ts'

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
test('that there is nothing is said once', () => {
  const why = (code: string, detail: string) => reasonText(item('none', null, { reason: { code, detail } }), 'UTC')
  assert.equal(why('nothing_there', 'The owner has no footage of this window.'), 'The owner looked and has nothing.')
  assert.equal(why('gap', 'The disk was full.'), 'The recorder has a gap there. The disk was full.')
})
test('what is waited for is said, and what follows', () => {
  const waits = (waiting_for: Item['waiting_for'], state: Item['state']) =>
    waitingText({ waiting_for, state, organization: { id: 'org', name: 'Transit' } } as Item, 'UTC')
  assert.equal(waits('room', 'exporting'), 'The disk beside the recorder is full. The export goes on when Transit has made room there.')
  assert.equal(waits('system', 'exporting'), 'The video system of Transit cannot be reached. It is tried again by itself.')
  assert.equal(
    waitingText({ waiting_for: 'system', waiting_because: 'It answered 503.', organization: { id: 'org', name: 'Transit' } } as Item, 'UTC'),
    'The video system of Transit cannot be reached. It is tried again by itself. It answered 503.',
  )
  assert.equal(waits('connector_offline', 'approved'), 'The connector is offline. The export starts when it is back.')
  assert.equal(waits('connector_offline', 'uploading'), 'The connector is offline. It goes on when it is back.')
})
