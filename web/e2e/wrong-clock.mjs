// A computer whose clock is wrong: the page says so at its top, once, and not where the clock is right.
import assert from 'node:assert/strict'
import { person, say, visitor } from './support.mjs'

const HOUR = 3_600_000

export async function wrongClock(world) {
  const investigator = await person(world, 'investigator')
  const { page } = await visitor(world, { storageState: await investigator.context.storageState() })
  for (const [hours, words] of [[3, '3 h ahead'], [-2, '2 h behind']]) {
    await page.clock.setFixedTime(Date.now() + hours * HOUR)
    await page.goto('/cases')
    await page.getByText(`This computer’s clock is ${words}. Times left, and the minutes that the form offers, are wrong.`).waitFor()
    assert.equal(await page.getByText('This computer’s clock').count(), 1)
  }
  const right = investigator.page
  await right.goto('/cases')
  await right.getByRole('heading', { name: 'Cases' }).waitFor()
  assert.equal(await right.getByText('This computer’s clock').count(), 0)
  say('a clock that is three hours ahead, or two behind, is told')
}
