// The request form sends what was chosen and typed, or nothing: cameras that did not load, and the hour that happens twice.
import assert from 'node:assert/strict'
import { findCamera, person, say, signIn } from './support.mjs'

const CAMERAS = /\/api\/v1\/(cameras|sources)\b/

/** One of two cameras is taken out of the registry while its form is open: the form says which, and keeps the rest. */
async function hiddenMeanwhile(world, page, one, other, send) {
  await page.unroute(`**/api/v1/cameras/${other.id}`)
  await page.goto(`/registry?view=list&chosen=${one.id},${other.id}&sheet=request`)
  const asks = page.getByRole('dialog')
  await asks.getByRole('button', { name: `Leave out ${other.name}` }).waitFor()
  await page.getByLabel('What is it about').fill('What was hidden meanwhile')
  const hidden = await setPublished(world, other.id, false)
  await send.click()
  await asks.getByText('1 of the 2 chosen cameras is not there any more').waitFor()
  await asks.getByRole('alert').getByText(other.name).waitFor()
  assert.equal(await asks.getByRole('alert').count(), 1, 'it is said once')
  assert.ok(await send.isDisabled(), 'nothing is sent before somebody decides')
  await asks.getByRole('button', { name: 'Leave it out' }).click()
  await asks.getByText('From 1 camera', { exact: true }).waitFor()
  assert.equal(await page.getByLabel('What is it about').inputValue(), 'What was hidden meanwhile')
  await asks.getByRole('button', { name: `Leave out ${one.name}` }).waitFor()
  assert.ok(await send.isEnabled())
  await hidden.show()
  say(`${other.name} was hidden while it was asked for: the form said so, and kept ${one.name}`)
}

/** Takes a camera out of what is shown, or puts it back. */
async function setPublished(world, id, published) {
  const administrator = await person(world, 'administrator')
  const camera = await administrator.context.request.get(`/api/v1/cameras/${id}`)
  const answer = await administrator.context.request.patch(`/api/v1/cameras/${id}`, { headers: { 'If-Match': camera.headers().etag }, data: { published } })
  assert.equal(answer.status(), 200, await answer.text())
  return { show: () => setPublished(world, id, true) }
}

export async function requestForm(world) {
  const investigator = await signIn(world, 'investigator', { expected: [/\/api\/v1\/me$/, CAMERAS, /\/video-requests$/] })
  const { page } = investigator
  const [one, other] = [await findCamera(investigator, () => true), await findCamera(investigator, (source) => source.connector)]
  const send = page.getByRole('button', { name: 'Send request' })
  await page.goto('/registry')
  await page.route(CAMERAS, (route) => route.abort())
  await page.goto(`/registry?view=list&chosen=${one.id},${other.id}&sheet=request`)
  await page.getByText('The 2 chosen cameras could not be loaded').waitFor()
  await page.getByLabel('What is it about').fill('What was chosen')
  await page.keyboard.press('Enter')
  assert.ok(await send.isDisabled(), 'nothing is sent meanwhile')
  await page.unroute(CAMERAS)
  // On a slow machine the page may have asked again by itself before this is pressed.
  await page.getByRole('alert').getByRole('button', { name: 'Try again' }).click({ timeout: 5_000 }).catch(() => undefined)
  await page.getByRole('button', { name: `Leave out ${one.name}` }).first().waitFor()
  await page.getByText('could not be loaded').waitFor({ state: 'detached' })
  assert.ok(await send.isEnabled())
  say('cameras that could not be loaded were waited for')

  await page.route(`**/api/v1/cameras/${other.id}`, (route) => route.fulfill({ status: 404, contentType: 'application/problem+json', json: { status: 404, code: 'not_found', title: 'Not Found', detail: 'There is no such camera.' } }))
  await page.goto(`/registry?view=list&q=${encodeURIComponent('no camera is called this')}&chosen=${one.id},${other.id}&sheet=request`)
  await page.getByText('1 of the 2 chosen cameras is not there any more').waitFor()
  assert.ok(await send.isDisabled())
  await page.getByRole('button', { name: 'Leave it out' }).click()
  await page.getByText('From 1 camera', { exact: true }).waitFor()
  say('of a camera that is gone the form told, and left it out when it was told to')

  await hiddenMeanwhile(world, page, one, other, send)

  const field = (label) => page.getByRole('textbox', { name: new RegExp(`^${label}`) }).first()
  const which = (label) => page.getByRole('radiogroup', { name: `Which of both: ${label}` }).first()
  await field('From').fill('2026-11-01T01:30:00')
  await field('To').fill('2026-11-01T01:32:00')
  await which('To').getByText('Second, PST').click()
  await which('From').getByText('Second, PST').click()
  await field('To').fill('2026-11-01T01:34:00')
  let body
  await page.route('**/api/v1/video-requests', (route) => { body = route.request().postDataJSON(); return route.abort() }, { times: 1 })
  await send.click()
  await page.getByRole('alert').filter({ hasText: 'It may have arrived all the same' }).waitFor()
  assert.deepEqual(body.items, [{ source_id: one.id, from: '2026-11-01T09:30:00.000Z', to: '2026-11-01T09:34:00.000Z' }])
  await field('From').fill('2026-11-01T03:00:00')
  await which('From').waitFor({ state: 'detached' })
  say('of the hour that happens twice the second half past one was asked for')
}
