// On a telephone the registry's list and map are two views: the list says which cameras it lists, before the map was looked at and after.
import assert from 'node:assert/strict'
import { person, say } from './support.mjs'

export async function listAndMap(world) {
  const { page, json } = await person(world, 'investigator')
  const count = async (bbox = '') => (await json(`/sources?kind=camera&limit=1&count=true${bbox && `&bbox=${bbox}`}`)).total
  const list = page.getByRole('region', { name: 'Cameras', exact: true })
  const follows = list.getByLabel('Only what the map shows')
  const lists = (cameras) => list.getByText(`${cameras} cameras`, { exact: true }).waitFor()
  const all = await count()
  await page.setViewportSize({ width: 390, height: 820 })
  await page.goto('/registry')
  await lists(all)
  await list.getByText('everywhere, until you look at the map').waitFor()
  assert.equal(await follows.count(), 0, 'nothing is ticked that cannot be true yet')

  const view = page.getByRole('radiogroup', { name: 'View' })
  await view.getByText('Map', { exact: true }).click()
  await page.waitForURL(/bbox=/)
  for (let nearer = 0; nearer < 2; nearer += 1) {
    const before = page.url()
    await page.getByRole('button', { name: 'Zoom in' }).click()
    await page.waitForURL((url) => url.href !== before)
  }
  await view.getByText(/^List/).click()
  const shown = await count(new URL(page.url()).searchParams.get('bbox'))
  assert.ok(shown > 1 && shown < all, `the map shows ${shown} of ${all}`)
  assert.ok(await follows.isChecked())
  await lists(shown)
  await follows.uncheck()
  await lists(all)
  await follows.check()
  await lists(shown)
  await page.setViewportSize({ width: 1280, height: 820 })
  say(`the list had all ${all} cameras, and after a look at the map the ${shown} there`)
}
