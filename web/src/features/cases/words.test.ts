import assert from 'node:assert/strict'
import test from 'node:test'
import { detailText, eventWord } from './words.ts'

test('a history says which file came, how large it is and what was answered', () => {
  assert.equal(detailText({ purpose: 'evidence', file_name: 'ch02.mp4', size_bytes: 1_500_000 }, 'UTC'), 'ch02.mp4, 1.5 MB')
  assert.equal(detailText({ answer: 'part', comment: 'from nine on' }, 'UTC'), 'has a part of it, “from nine on”')
  assert.equal(detailText(null, 'UTC'), '')
})

test('what happened is said in words', () => {
  assert.equal(eventWord('request_item.submit', {}), 'Asked for footage')
  assert.equal(eventWord('evidence.process', { playable: 'failed' }), 'No copy to play could be made')
})
