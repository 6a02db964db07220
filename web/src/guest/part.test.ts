import assert from 'node:assert/strict'
import test from 'node:test'
import { momentOf, toWall } from '~/lib/time.ts'
import { partOf, wrongPart } from './part.ts'

const ZONE = 'America/Los_Angeles'
const asked = { from: '2026-11-22T10:00:10.350Z', to: '2026-11-22T10:02:10.350Z', time_zone: ZONE }
/** As a field gives it back: to the second. */
const typed = (at: string, like = at) => momentOf(toWall(at, ZONE), ZONE, like)

test('what is asked for is a part of itself, as it came and as it is typed again', () => {
  assert.equal(wrongPart(asked, asked), null)
  const again = partOf(typed(asked.from), typed(asked.to), asked)
  assert.deepEqual(again, { from: asked.from, to: asked.to })
  assert.equal(wrongPart(again, asked), null)
})
test('a part lies within what is asked for', () => {
  const part = partOf('2026-11-22T10:00:11.000Z', '2026-11-22T10:02:10.000Z', asked)
  assert.deepEqual(part, { from: '2026-11-22T10:00:11.000Z', to: asked.to })
  assert.equal(wrongPart(part, asked), null)
  assert.match(wrongPart(partOf('2026-11-22T10:00:09.000Z', asked.to, asked), asked) ?? '', /^You are asked for 22 Nov 2026, 02:00:10 – 02:02:10 PST/)
  assert.match(wrongPart(partOf(asked.from, '2026-11-22T10:02:11.000Z', asked), asked) ?? '', /^You are asked for/)
  assert.equal(wrongPart(partOf(asked.from, null, asked), asked), 'Give the day and the time of both.')
  assert.equal(wrongPart(partOf(asked.to, asked.from, asked), asked), 'The part ends before it begins.')
})
test('in the second hour of the hour that happens twice as well', () => {
  const late = { from: '2026-11-01T09:10:00.350Z', to: '2026-11-01T09:50:00.350Z', time_zone: ZONE }
  assert.deepEqual(partOf(typed(late.from), typed(late.to), late), { from: late.from, to: late.to })
})
