import assert from 'node:assert/strict'
import test from 'node:test'
import type { Item } from '~/api/types.ts'
import { hereText } from '~/lib/format.ts'
import { isAllHere, lastsUntil, missingTexts, reasonText, waitingText } from './words.ts'

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
  assert.equal(why('never_recorded', ''), 'The recorder has no recording of that time.', 'it may be that one is overwritten')
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
  const link = { id: 'frl', code: 'AB12-CD34', expires_at: '2026-11-27T10:00:00Z', revoked_at: null, finished_at: null, reply: null }
  const dead = (file_request: Item['file_request']) => waitingText({ waiting_for: 'new_link', state: 'approved', file_request, organization: { id: 'org', name: 'Mall' } } as Item, 'UTC')
  assert.match(dead(link) ?? '', /^The upload link ran out .*, and nobody had sent anything\. Mall can make a new one, or say that there is nothing\.$/)
  assert.match(dead({ ...link, revoked_at: '2026-11-26T10:00:00Z' }) ?? '', /^The upload link was revoked\. Mall can/)
})
test('what is missing is told with its zone', () => {
  const gap = { from: '2026-11-22T05:05:10.000Z', to: '2026-11-22T05:07:10.000Z', reason: null }
  assert.deepEqual(missingTexts([gap], 'America/Los_Angeles'), ['2 min missing, from 21:05:10 PST (the recorder has no footage)'])
})
test('of what is fetched as much is said as is known', () => {
  assert.equal(hereText({ bytes_done: 0, bytes_total: null }, 'exporting'), 'Nothing has come yet')
  assert.equal(hereText({ bytes_done: 1_500_000, bytes_total: null }, 'exporting'), '1.5 MB so far')
  assert.equal(hereText({ bytes_done: 0, bytes_total: 3_000_000 }, 'exporting'), '0 B of about 3.0 MB')
  assert.equal(hereText({ bytes_done: 1_500_000, bytes_total: 3_000_000 }, 'uploading'), '1.5 MB of 3.0 MB')
})
test('a file that came by a link is here, though more may come', () => {
  const of = (bytes_done: number, finished_at: string | null) =>
    isAllHere({ state: 'uploading', progress: { bytes_done, bytes_total: 10 }, file_request: { finished_at } } as Item)
  assert.deepEqual([of(10, null), of(9, null), of(10, '2026-11-22T05:05:10.000Z')], [true, false, false])
  assert.equal(isAllHere({ state: 'uploading', progress: { bytes_done: 10, bytes_total: 10 }, file_request: null } as Item), false, 'a connector sends what it exported')
})
