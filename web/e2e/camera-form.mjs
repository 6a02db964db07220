// An administrator notes what is known of a camera: how its clock goes, a field that fits nowhere else, what it sees.
import assert from 'node:assert/strict'
import { findCamera, person, say, signIn } from './support.mjs'

export async function cameraForm(world) {
  const administrator = await person(world, 'administrator')
  const { page } = administrator
  const camera = await findCamera(administrator, (source) => !source.connector)
  await page.goto(`/registry?view=list&camera=${camera.id}`)
  await page.getByRole('button', { name: 'Edit' }).click()
  const form = page.getByRole('dialog', { name: 'Edit' })
  await form.getByLabel('Clock offset').fill('-4000')
  await form.getByLabel('Uncertainty').fill('500')
  await form.locator('input[type=file]').setInputFiles({ name: 'view.png', mimeType: 'image/png', buffer: await page.screenshot() })
  await form.getByRole('img', { name: 'The picture that was chosen' }).waitFor()
  await form.getByRole('button', { name: 'A field of your own' }).click()
  await page.keyboard.type('Pole')
  await page.keyboard.press('Tab')
  await page.keyboard.type('17 b')
  await form.getByRole('button', { name: 'Another field' }).click()
  await page.keyboard.type('Pole')
  await form.getByText('There is a field of this name').waitFor()
  await form.getByRole('button', { name: 'Remove Pole' }).last().click()
  const latitude = form.getByLabel('Latitude')
  await latitude.fill('')
  await form.getByRole('button', { name: 'Save' }).click()
  assert.ok(await latitude.evaluate((input) => input.matches(':focus:invalid')), 'half a position is not sent')
  await latitude.fill(String(camera.position.lat))
  await form.getByRole('button', { name: 'Save' }).click()

  await page.getByText('4.0 s slow (± 0.5 s)').waitFor()
  await page.getByText('17 b').waitFor()
  const saved = await administrator.json(`/cameras/${camera.id}`)
  assert.deepEqual([saved.clock_offset_ms, saved.clock_uncertainty_ms, saved.custom], [-4000, 500, { Pole: '17 b' }])
  assert.deepEqual(saved.position, camera.position)
  assert.notEqual(saved.thumbnail_url, camera.thumbnail_url)
  say(`the clock, a field and the picture of ${camera.name} are noted`)
  await twoAtOnce(world, administrator, camera)
  await clockAtTheRecorder(administrator)
}

/** The clock of a camera with a connector is set in the connector's file: the form says so, and has no field for it. */
async function clockAtTheRecorder(administrator) {
  const { page } = administrator
  const camera = await findCamera(administrator, (source) => source.connector)
  await page.goto(`/registry?view=list&camera=${camera.id}&sheet=edit`)
  const form = page.getByRole('dialog', { name: 'Edit' })
  await form.getByText('of this camera into the connector’s file').waitFor()
  assert.equal(await form.getByLabel('Clock offset').count(), 0)
  say(`the form of ${camera.name} says that its clock is set beside the recorder`)
}

/** Two people change one camera at the same time: the second is told, loses nothing that they typed, and overwrites nothing unseen. */
async function twoAtOnce(world, first, { id }) {
  const { page, json } = await signIn(world, 'administrator', { expected: [/\/api\/v1\/me$/, new RegExp(`/cameras/${id}$`)] })
  await page.goto(`/registry?view=list&camera=${id}&sheet=edit`)
  const form = page.getByRole('dialog', { name: 'Edit' })
  await form.getByLabel('Site').fill('North gate')
  await form.getByLabel('Mounting height').fill('4')
  const { version } = await json(`/cameras/${id}`)
  const heard = page.waitForResponse((answer) => answer.url().endsWith(`/cameras/${id}`) && answer.request().method() === 'GET')
  const changed = await first.context.request.patch(`/api/v1/cameras/${id}`, { headers: { 'If-Match': `"${version}"` }, data: { site: 'South gate', model: 'P3265' } })
  assert.equal(changed.status(), 200)
  // The page hears of it under the open form.
  await heard
  await form.getByRole('button', { name: 'Save' }).click()
  const told = form.getByRole('alert').filter({ hasText: 'Somebody else changed this camera while this was open' })
  await told.waitFor()
  assert.equal((await json(`/cameras/${id}`)).site, 'South gate', 'nothing of theirs is overwritten')
  assert.equal(await form.getByLabel('Site').inputValue(), 'North gate', 'what was typed is there')
  await told.getByRole('button', { name: 'Load what is there now' }).click()
  const both = form.getByText('Somebody else changed this to “South gate”. Saving puts yours in its place.')
  await both.waitFor()
  assert.ok(await form.getByLabel('Site').evaluate((input) => document.activeElement === input), 'what both changed is brought into sight')
  assert.deepEqual([await form.getByLabel('Model').inputValue(), await form.getByLabel('Mounting height').inputValue()], ['P3265', '4 m'])
  await form.getByRole('button', { name: 'Save' }).click()
  await form.waitFor({ state: 'detached' })
  const saved = await json(`/cameras/${id}`)
  assert.deepEqual([saved.site, saved.model, saved.mounting_height_m], ['North gate', 'P3265', 4])
  say('of two who changed a camera at once, the second was told and lost nothing')
}
