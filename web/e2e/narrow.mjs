// Minutes are narrowed as they were asked for: in the second hour of the hour that happens twice, and to the fraction of a second.
import assert from 'node:assert/strict'
import { person, say, visitor } from './support.mjs'

const ASKED = { from: '2026-11-01T09:10:00.350Z', to: '2026-11-01T09:50:00.350Z' }

export async function narrow(world) {
  const approver = await person(world, 'approver')
  const { page, context } = await visitor(world, { storageState: await approver.context.storageState(), expected: [/\/approve$/] })
  const [head] = (await approver.json('/video-requests?limit=1')).items
  const whole = await approver.json(`/video-requests/${head.id}`)
  const item = { ...whole.items[0], ...ASKED, state: 'pending', granted: null, allowed_actions: ['approve', 'deny', 'ask'] }
  await page.route(`**/api/v1/video-requests/${head.id}`, (route) => route.fulfill({ json: { ...whole, open: true, items: [item] } }))
  let body
  await page.route(`**/api/v1/request-items/${item.id}/approve`, (route) => { body = route.request().postDataJSON(); return route.fulfill({ json: { ...whole, items: [item] } }) })
  /** Narrows, with what is typed into the fields, and answers what is sent. */
  const narrowed = async (fields) => {
    await page.goto(`/requests/${head.id}`)
    await page.getByRole('button', { name: 'Narrow' }).click()
    assert.match(await page.getByRole('textbox', { name: /^From/ }).inputValue(), /^2026-11-01T01:10/)
    await page.getByRole('radiogroup', { name: 'Which of both: From' }).getByRole('radio', { name: 'Second, PST' }).and(page.locator(':checked')).waitFor({ state: 'attached' })
    for (const [label, text] of fields) await page.getByRole('textbox', { name: new RegExp(`^${label}`) }).fill(text)
    await page.getByRole('button', { name: 'Approve these minutes' }).click()
    await page.getByRole('button', { name: 'Send now' }).click()
    await page.getByRole('button', { name: 'Send now' }).waitFor({ state: 'detached' })
    return { from: body.from, to: body.to }
  }
  assert.deepEqual(await narrowed([]), ASKED, 'left untouched, they are what was asked for')
  assert.deepEqual(await narrowed([['From', '2026-11-01T01:20:00']]), { ...ASKED, from: '2026-11-01T09:20:00.000Z' })
  assert.deepEqual(await narrowed([['To', '2026-11-01T01:40:00'], ['To', '2026-11-01T01:50:00'], ['From', '2026-11-01T01:11:00'], ['From', '2026-11-01T01:10:00']]), ASKED, 'typed again, to the second')
  await context.close()
  say('minutes of the second half past one were narrowed')
}
