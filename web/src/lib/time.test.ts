import assert from 'node:assert/strict'
import test from 'node:test'
import { atHome, blanks, bothOf, duration, exactMoment, fromWall, momentOf, offsetMinutes, onLimit, reading, recordedAt, span, toWall, zoneName } from './time.ts'

const LA = 'America/Los_Angeles'

test('a wall time and its moment are each other’s reverse', () => {
  for (const at of ['2026-11-22T05:05:10.000Z', '2026-07-01T00:00:00.000Z', '2026-03-08T10:30:00.000Z', '2026-11-01T10:30:00.000Z']) {
    for (const zone of [LA, 'Europe/Zurich', 'Asia/Kolkata', 'UTC']) assert.equal(fromWall(toWall(at, zone), zone), at)
  }
})
test('in somebody else’s words times are told in the zone, and what is none stays', () => {
  assert.equal(atHome('It showed 21:05 when it was 2026-11-28T04:51:06Z.', 'UTC'), 'It showed 21:05 when it was 28 Nov 2026, 04:51:06 UTC.')
  assert.equal(atHome('2026-99-99T99:99Z <b>', 'UTC'), '2026-99-99T99:99Z <b>')
})
test('in the hour that occurs twice the first one is meant', () => {
  assert.equal(fromWall('2026-11-01T01:30:00', LA), '2026-11-01T08:30:00.000Z')
})
test('of the hour that occurs twice both are known, and nowhere else', () => {
  assert.deepEqual(bothOf('2026-11-01T01:30:00', LA), ['2026-11-01T08:30:00.000Z', '2026-11-01T09:30:00.000Z'])
  assert.deepEqual(bothOf('2026-10-25T02:00', 'Europe/Zurich'), ['2026-10-25T00:00:00.000Z', '2026-10-25T01:00:00.000Z'])
  assert.deepEqual(bothOf('2026-04-05T01:45', 'Australia/Lord_Howe'), ['2026-04-04T14:45:00.000Z', '2026-04-04T15:15:00.000Z'])
  for (const wall of ['2026-11-01T00:59:59', '2026-11-01T02:00:00', '2026-03-08T02:30:00', '2026-10-31T23:30', '', 'x']) assert.equal(bothOf(wall, LA), null)
  assert.equal(bothOf('2026-11-01T01:30:00', 'UTC'), null)
})
test('whoever chose the second of both goes on with it', () => {
  assert.equal(momentOf('2026-11-01T01:31', LA, '2026-11-01T09:30:00.000Z'), '2026-11-01T09:31:00.000Z')
  assert.equal(momentOf('2026-11-01T01:31', LA, '2026-11-01T08:30:00.000Z'), '2026-11-01T08:31:00.000Z')
  assert.equal(momentOf('2026-11-01T01:31', LA, '2026-11-28T09:30:00.000Z'), '2026-11-01T08:31:00.000Z', 'from another day: the first')
  assert.equal(momentOf('2026-11-01T03:00', LA, '2026-11-01T09:30:00.000Z'), '2026-11-01T11:00:00.000Z')
  assert.equal(span('2026-11-01T08:30:00Z', '2026-11-01T09:10:00Z', LA), '01 Nov 2026, 01:30 PDT – 01:10 PST')
})
test('of a limit that lies within a second, that second is enough', () => {
  const limit = '2026-11-01T09:50:00.350Z'
  assert.equal(onLimit('2026-11-01T09:50:00.000Z', limit), limit)
  for (const at of ['2026-11-01T08:50:00.000Z', '2026-11-01T09:49:59.000Z', '2026-11-01T09:50:01.000Z']) assert.equal(onLimit(at, limit), at)
  assert.equal(onLimit(limit, null), limit)
})
test('in the hour that does not occur the clock has moved on', () => {
  assert.equal(fromWall('2026-03-08T02:30:00', LA), '2026-03-08T10:30:00.000Z')
})
test('no time is no moment', () => assert.equal(fromWall('', LA), null))
test('offsets know summer', () => {
  assert.equal(offsetMinutes(new Date('2026-07-01T00:00:00Z'), LA), -420)
  assert.equal(offsetMinutes(new Date('2026-12-01T00:00:00Z'), LA), -480)
})
test('of a picture the moment is told to the millisecond', () => {
  assert.equal(exactMoment('2026-11-28T00:28:29.900Z', LA), '27 Nov 2026, 16:28:29.900 PST')
  assert.equal(exactMoment('2026-11-28T00:28:29Z', LA), '27 Nov 2026, 16:28:29.000 PST')
})
test('the zone is named', () => {
  assert.equal(zoneName('2026-11-22T05:00:00Z', LA), 'PST')
  assert.equal(span('2026-11-22T05:05:00Z', '2026-11-22T05:25:00Z', LA), '21 Nov 2026, 21:05 – 21:25 PST')
  assert.equal(span('2026-11-22T05:05:00Z', '2026-11-22T05:25:10Z', LA), '21 Nov 2026, 21:05:00 – 21:25:10 PST')
})
test('durations take two units at most', () => {
  assert.equal(duration(120_000), '2 min')
  assert.equal(duration(41 * 3_600_000 + 5), '1 d 17 h')
  assert.equal(duration(86_400_000 + 60_000), '1 d')
})
test('a clock is read as people write it, and nothing else is', () => {
  for (const text of ['21:05:40', '9:05', ' 00:00:00 ', '9.05.40 pm', '12:00 a.m.', '11:59PM']) assert.equal(reading(text), text.trim())
  for (const text of ['', 'banana', '24:00', '9:60', '9:5', '13:05 pm', '0:05 am', '2105', '22 Nov 21:05']) assert.equal(reading(text), null)
})

test('footage that holds a time twice puts its clock back where it does', () => {
  const points = [{ at_ms: 0, from: '2026-11-22T10:00:05.000Z' }, { at_ms: 57_000, from: '2026-11-22T10:01:00.000Z' }, { at_ms: 119_000, from: '2026-11-22T10:02:00.000Z' }]
  const at = (second: number) => new Date(recordedAt(points, second) ?? 0).toISOString().slice(11, 23)
  assert.deepEqual([0, 10.5, 56.96, 57, 118.96, 119, 500].map(at), ['10:00:05.000', '10:00:15.500', '10:01:01.960', '10:01:00.000', '10:02:01.960', '10:02:00.000', '10:08:21.000'])
  assert.equal(recordedAt([], 5), null)
})

test('gaps lie where the footage has no picture, and what is outside it is none of its own', () => {
  const at = (time: string) => `2026-11-22T10:${time}.000Z`
  const gap = (from: string, to: string) => ({ from: at(from), to: at(to) })
  const once = [{ at_ms: 0, from: at('00:05') }]
  assert.deepEqual(blanks(once, [gap('00:00', '00:05'), gap('00:20', '00:50'), gap('01:50', '02:30')], 120), [{ from: 15, to: 45 }, { from: 105, to: 120 }])
  const twice = [...once, { at_ms: 57_000, from: at('01:00') }]
  assert.deepEqual(blanks(twice, [gap('01:10', '01:20')], 120), [{ from: 67, to: 77 }])
  assert.deepEqual(blanks([], [gap('01:10', '01:20')], 120), [])
})
