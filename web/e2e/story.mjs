// The first paragraph of the README: the investigator asks, the approver approves, the footage arrives and plays.
import assert from 'node:assert/strict'
import { approve, ask, findCamera, isRecorded, person, play, say } from './support.mjs'

export async function story(world) {
  const investigator = await person(world, 'investigator')
  const { page } = investigator
  const camera = await findCamera(investigator, isRecorded)
  const asked = await ask(investigator, camera, 'Collision at the crossing', 'A cyclist was hit; the driver left.')
  await approve(await person(world, 'approver'), asked)

  await page.getByText('Completed').first().waitFor({ timeout: 180_000 })
  say('the open page of the investigator says Completed, by itself')
  const done = await investigator.json(`/video-requests/${asked.id}`)
  const [file] = done.items[0].evidence
  assert.equal(done.status, 'completed')
  assert.match(file.sha256, /^[0-9a-f]{64}$/)

  const seconds = await play(page, done.case_id, file.id)
  const window = (Date.parse(done.items[0].to) - Date.parse(done.items[0].from)) / 1000
  assert.ok(seconds >= window - 0.15 && seconds <= window + 2.2, `${seconds} s were played of ${window} s asked`)
  say(`it plays: ${seconds.toFixed(1)} s for ${window} s asked`)

  const administrator = await person(world, 'administrator')
  const mails = (await administrator.json('/mails?limit=500')).items.map((mail) => mail.subject)
  assert.equal(mails.filter((subject) => subject.includes(asked.number) && /ready|arrived|footage is/i.test(subject)).length, 1, mails.join('\n'))
  say('one mail says that the footage is ready')
  world.fetched = { request: done, file }
}
