// Footage is held before the decision, looked at by the approver before the requester has it, and then released.
import assert from 'node:assert/strict'
import { ask, findCamera, isRecorded, person, playToEnd, say } from './support.mjs'

export async function heldAndReviewed(world) {
  const [investigator, approver] = [await person(world, 'investigator'), await person(world, 'approver')]
  const asked = await ask(investigator, await findCamera(investigator, isRecorded), 'A scuffle at the stop', 'Two people were hurt.')
  const { page } = approver
  await page.goto('/review')
  const card = page.getByRole('listitem').filter({ hasText: asked.number })
  await card.getByText('Not held').waitFor()
  await card.getByRole('button', { name: 'Hold', exact: true }).click()
  await investigator.page.getByText(/^Held until/).first().waitFor({ timeout: 60_000 })
  say('the open page of the investigator says until when it is held')

  await card.getByRole('button', { name: 'Approve' }).click()
  await card.getByLabel(/before release/i).check()
  await card.locator('form').getByRole('button', { name: 'Approve' }).click()
  await card.getByRole('button', { name: 'Look at it' }).click({ timeout: 90_000 })
  const seconds = await playToEnd(page)
  assert.ok(seconds >= 119, `${seconds} s`)
  await page.keyboard.press('Escape')
  const before = await investigator.json(`/video-requests/${asked.id}`)
  assert.deepEqual([before.items[0].state, before.items[0].evidence], ['in_review', []])
  say(`the approver looked at all ${seconds.toFixed(1)} s of it, the investigator sees nothing yet`)

  await card.getByRole('button', { name: 'Release' }).click()
  await uncovered(card)
  await investigator.page.getByText('Completed').first().waitFor({ timeout: 60_000 })
  await investigator.page.getByText('No longer held').waitFor()
  say('it was released, and what was held is let go')
}

/** The words that point to the toast are not under it, though this card is the last one of the page. */
async function uncovered(card) {
  const words = await card.getByText('About to be sent. Take it back below.').boundingBox()
  const toast = await card.page().locator('.toast').last().boundingBox()
  assert.ok(words.y + words.height <= toast.y, `the words end at ${words.y + words.height}, the toast begins at ${toast.y}`)
}
