// The first paragraph of the README: the investigator asks, the approver approves, the footage arrives and plays.
import assert from 'node:assert/strict'
import { approve, findCamera, isRecorded, person, play, say, send } from './support.mjs'

/** Chooses a camera as a person does: a crossing by its name, a hundred metres around it, then its dot on the map. */
async function chooseOnMap(page, camera) {
  await page.getByRole('link', { name: 'Registry' }).click()
  const [crossing] = /\w+ Street & \w+ Avenue/.exec(camera.address)
  await page.getByLabel('Place', { exact: true }).fill(crossing)
  await page.getByRole('option', { name: crossing }).click()
  await page.getByLabel('Reach').selectOption('100')
  await page.getByRole('region', { name: 'Cameras', exact: true }).getByText(camera.name).waitFor()
  const map = page.getByRole('region', { name: 'Map of cameras' })
  await map.and(page.locator('[aria-busy=false]')).waitFor()
  // The circle fits at the nearest zoom, 16.5, of a Web Mercator map whose world is 512 pixels wide at zoom 0.
  const [lat, lon] = new URL(page.url()).searchParams.get('near').split(',').map(Number)
  const pixels = (512 * 2 ** 16.5) / 360
  const { x, y, width, height } = await map.boundingBox()
  const east = (camera.position.lon - lon) * pixels
  const south = ((lat - camera.position.lat) * pixels) / Math.cos((lat * Math.PI) / 180)
  const chosen = page.getByRole('region', { name: 'Chosen cameras' })
  await page.mouse.move(x + width / 2 + east, y + height / 2 + south)
  await map.getByText(camera.name).waitFor()
  await page.mouse.down()
  await page.mouse.up()
  await chosen.getByText(camera.name).waitFor()
  say(`chose ${camera.name} on the map, ${Math.round(Math.hypot(east, south))} pixels from ${crossing}`)
  await chosen.getByRole('button', { name: 'Request video from 1 camera' }).click()
}

export async function story(world) {
  const investigator = await person(world, 'investigator')
  const { page } = investigator
  const camera = await findCamera(investigator, (source) => isRecorded(source) && source.organization.name.includes('Transit'))
  await chooseOnMap(page, camera)
  await page.getByRole('button', { name: 'Last 2 min' }).click()
  await page.getByText('2 min long').waitFor()
  const asked = await send(investigator, camera, 'Collision at the crossing', 'A cyclist was hit; the driver left.')
  const [item] = asked.items
  const window = (Date.parse(item.to) - Date.parse(item.from)) / 1000
  assert.equal(window, 120)
  // The camera's owner decides: transit's own approver.
  await approve(await person(world, 'tara.lindt'), asked)

  const approved = performance.now()
  await page.getByText('Completed').first().waitFor({ timeout: 60_000 })
  say(`the open page of the investigator says Completed, by itself, after ${((performance.now() - approved) / 1000).toFixed(1)} s`)
  const done = await investigator.json(`/video-requests/${asked.id}`)
  const [file] = done.items[0].evidence
  assert.equal(done.status, 'completed')
  assert.match(file.sha256, /^[0-9a-f]{64}$/)

  const seconds = await play(page, done.case_id, file.id)
  assert.ok(seconds >= window - 0.15 && seconds <= window + 2.2, `${seconds} s were played of ${window} s asked`)
  say(`it plays to its end: ${seconds.toFixed(1)} s for ${window} s asked`)

  const administrator = await person(world, 'administrator')
  const mails = (await administrator.json('/mails?limit=500')).items.map((mail) => mail.subject)
  assert.equal(mails.filter((subject) => subject.includes(asked.number) && /ready|arrived|footage is/i.test(subject)).length, 1, mails.join('\n'))
  say('one mail says that the footage is ready')
  world.fetched = { request: done, file }
}
