import assert from 'node:assert/strict'
import test from 'node:test'
import { clockText, fileName, phaseText } from './words.ts'

test('a clock that is off by two seconds or more is told', () => {
  assert.equal(clockText(600_000), 'Its clock is 10 min ahead of the server’s.')
  assert.equal(clockText(-2_000), 'Its clock is 2 s behind the server’s.')
  assert.deepEqual([clockText(1_999), clockText(-1_999), clockText(0), clockText(null)], [null, null, null, null])
})

test('each connector has a name for its files, whatever letters it has', () => {
  const id = 'cnr_01kc3v0wqzf6pax5n1b7tn4q2e'
  assert.equal(fileName({ name: 'Transit depot, recorder #2', id }), 'transit-depot-recorder-2-tn4q2e')
  assert.equal(fileName({ name: 'Zürich HB', id }), 'zurich-hb-tn4q2e')
  for (const name of ['Депо трамваев', '新宿駅', '!?', 'connector']) assert.equal(fileName({ name, id }), 'connector-tn4q2e')
  assert.notEqual(fileName({ name: 'Депо', id }), fileName({ name: 'Мост', id: 'cnr_01kc3v0wqzf6pax5n1b7tn4q3f' }))
  assert.match(fileName({ name: 'x'.repeat(39) + ' y'.repeat(50), id }), /^x{39}-tn4q2e$/)
})

test('what a connector does about a task is said as the request says it', () => {
  const by = { online: true, organization: { id: 'org', name: 'Transit' }, last_seen_at: '2026-11-22T05:05:00Z' }
  const says = (phase: 'exporting' | 'uploading' | 'waiting_for_hours' | 'waiting_for_room' | 'other', bytes_done = 0, bytes_total: number | null = null) =>
    phaseText({ state: 'leased', progress: { phase, bytes_done, bytes_total } }, by, 'UTC')
  assert.equal(says('exporting'), 'Exporting: Nothing has come yet')
  assert.equal(says('exporting', 1_500_000, 3_000_000), 'Exporting: 1.5 MB of about 3.0 MB')
  assert.equal(says('uploading', 1_500_000, 3_000_000), 'Uploading: 1.5 MB of 3.0 MB')
  assert.equal(says('waiting_for_hours'), 'Exported. It is sent in the hours at which its connector may send.')
  assert.equal(says('waiting_for_room'), 'The disk beside the recorder is full. The export goes on when Transit has made room there.')
  assert.equal(says('other'), null)
  assert.equal(phaseText({ state: 'done', progress: { phase: 'uploading', bytes_done: 3, bytes_total: 3 } }, by, 'UTC'), null)
  assert.match(phaseText({ state: 'leased', progress: null }, { ...by, online: false }, 'UTC') ?? '', /^The connector is offline since 22 Nov 2026, 05:05 UTC/)
})
