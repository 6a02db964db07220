// The first paragraph of the README: the investigator asks, the approver approves, the footage arrives and plays.
import assert from 'node:assert/strict'
import { approve, findCamera, isRecorded, person, playToEnd, say, send } from './support.mjs'

const SECONDS = 120
const seconds = ({ from, to }) => (Date.parse(to) - Date.parse(from)) / 1000

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
  const dot = [x + width / 2 + east, y + height / 2 + south]
  // The dots are drawn a moment after the map has moved: the pointer stirs until it finds this one.
  for (let tries = 0; !(await map.getByText(camera.name).isVisible()); tries += 1) {
    assert.ok(tries < 300, `the pointer finds ${camera.name} on the map`)
    await page.mouse.move(dot[0] + (tries % 2), dot[1])
    await page.waitForTimeout(100)
  }
  await page.mouse.click(...dot)
  await chosen.getByText(camera.name).waitFor()
  say(`chose ${camera.name} on the map, ${Math.round(Math.hypot(east, south))} pixels from ${crossing}`)
  await chosen.getByRole('button', { name: 'Request video from 1 camera' }).click()
}

/** Two minutes to the second, some minutes ago, as the form then shows them. */
async function setWindow(page) {
  const sheet = page.getByRole('dialog')
  const [from, to] = [sheet.getByLabel(/^From/), sheet.getByLabel(/^To/)]
  const now = Date.parse(`${await to.inputValue()}Z`)
  const before = (past) => new Date(now - past * 1000).toISOString().slice(0, 19)
  await from.fill(before(3 * 3600))
  await sheet.getByText('The longest window is 2 h; this one is 3 h.').waitFor()
  await sheet.getByRole('button', { name: 'Shorten it to the first 2 h' }).click()
  await sheet.getByText('2 h long').waitFor()
  assert.equal(await sheet.getByText('The longest window').count(), 0, 'a window of 2 h is allowed')
  assert.equal(await sheet.getByRole('button', { name: 'Shorten' }).count(), 0)
  await to.fill(before(0))
  await from.fill(before(187 + SECONDS))
  await to.fill(before(187))
  await sheet.getByText('2 min long').waitFor()
  assert.equal(seconds({ from: await from.inputValue(), to: await to.inputValue() }), SECONDS, 'the form shows two minutes')
}

export async function story(world) {
  const investigator = await person(world, 'investigator')
  const { page } = investigator
  const camera = await findCamera(investigator, (source) => isRecorded(source) && source.organization.name.includes('Transit'))
  await chooseOnMap(page, camera)
  await setWindow(page)
  const asked = await send(investigator, camera, 'Collision at the crossing', 'A cyclist was hit; the driver left.')
  assert.deepEqual(asked.items.map((item) => [item.source.id, seconds(item)]), [[camera.id, SECONDS]], 'two minutes of one camera were asked')
  // The camera's owner decides: transit's own approver.
  await approve(await person(world, 'tara.lindt'), asked)

  const approved = performance.now()
  await page.getByText('Completed').first().waitFor({ timeout: 60_000 })
  say(`the open page of the investigator says Completed, by itself, after ${((performance.now() - approved) / 1000).toFixed(1)} s`)
  const done = await investigator.json(`/video-requests/${asked.id}`)
  const [file] = done.items[0].evidence
  assert.equal(done.status, 'completed')
  assert.match(file.sha256, /^[0-9a-f]{64}$/)

  await page.getByRole('link', { name: file.name }).click()
  const played = await playToEnd(page)
  assert.ok(played >= SECONDS - 0.15 && played <= SECONDS + 2.2, `${played} s were played of ${SECONDS} s asked`)
  say(`it plays to its end: ${played.toFixed(1)} s for ${SECONDS} s asked`)

  const administrator = await person(world, 'administrator')
  const mails = (await administrator.json('/mails?limit=500')).items.map((mail) => mail.subject)
  assert.equal(mails.filter((subject) => subject.includes(asked.number) && /ready|arrived|footage is/i.test(subject)).length, 1, mails.join('\n'))
  say('one mail says that the footage is ready')
  world.fetched = { request: done, file }
}
