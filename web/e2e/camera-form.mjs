// An administrator notes what is known of a camera: how its clock goes, a field that fits nowhere else, what it sees.
import assert from 'node:assert/strict'
import { findCamera, person, say } from './support.mjs'

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
}
