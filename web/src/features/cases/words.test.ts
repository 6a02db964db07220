import assert from 'node:assert/strict'
import test from 'node:test'
import { caseLevelText, containerWord, detailText, eventWord, frameRate, pictureText, unsureText } from './words.ts'

test('a history says which file came, how large it is and what was answered', () => {
  assert.equal(detailText({ purpose: 'evidence', file_name: 'ch02.mp4', size_bytes: 1_500_000 }, 'UTC'), 'ch02.mp4, 1.5 MB')
  assert.equal(detailText({ answer: 'part', comment: 'from nine on' }, 'UTC'), 'has a part of it, “from nine on”')
  assert.equal(detailText(null, 'UTC'), '')
})

test('what happened is said in words', () => {
  assert.equal(eventWord('request_item.submit', {}), 'Asked for footage')
  assert.equal(eventWord('evidence.play', {}), 'Opened it to watch', 'whether a picture was played is not known')
  assert.equal(eventWord('evidence.process', { playable: 'failed' }), 'No copy to play could be made')
})

test('of a photo only what a photo has is said', () => {
  const media = { container: 'jpeg_pipe', video_codec: 'mjpeg', audio_codec: null, width: 640, height: 480, frame_rate: 25, duration_ms: null, claimed_ms: null, first_picture_ms: 0 }
  assert.equal(containerWord('jpeg_pipe'), 'JPEG')
  assert.equal(pictureText(media), '640 × 480')
  assert.equal(pictureText({ ...media, container: 'avi', frame_rate: 12.5 }), '640 × 480, 12.5 frames/s, mjpeg, no sound')
})

test('gaps do not slow the pictures down', () => {
  const media = { container: 'mov', video_codec: 'h264', audio_codec: null, width: 640, height: 480, frame_rate: 6.25, duration_ms: 120_000, claimed_ms: null, first_picture_ms: 0 }
  const recorded = { from: '2026-11-22T10:00:00.000Z', to: '2026-11-22T10:02:00.000Z', gaps: [{ from: '2026-11-22T10:00:30.000Z', to: '2026-11-22T10:01:15.000Z', reason: null }], clock: [{ at_ms: 0, from: '2026-11-22T10:00:00.000Z' }], clock_offset_ms: null, uncertainty_ms: null }
  assert.equal(frameRate({ media, recorded }), 10)
  assert.equal(frameRate({ media, recorded: { ...recorded, gaps: [] } }), 6.25)
  assert.equal(frameRate({ media, recorded: null }), 6.25)
  assert.equal(frameRate({ media: null, recorded: null }), null)
})

test('how well times are known is said where it is more than any clock is off', () => {
  assert.deepEqual([null, 0, 500, 501, 1000, 1499, 60_000].map(unsureText), [null, null, null, '± 0.5 s', '± 1 s', '± 1.5 s', '± 60 s'])
})

test('what may be done in a case is no more than what its files were released for', () => {
  const files = (...levels: ('view' | 'download')[]) => levels.map((level) => ({ level }))
  assert.equal(caseLevelText('download', files('view')), 'View only')
  assert.equal(caseLevelText('download', files('view', 'download')), 'View and download, 1 file of 2 to view only')
  assert.equal(caseLevelText('manage', files('view')), 'Manage, all files to view only')
  assert.equal(caseLevelText('download', []), 'View and download')
  assert.equal(caseLevelText('view', files('view')), 'View only')
})
