// An answer is lost on its way: what was sent is made once, whatever is pressed afterwards.
import assert from 'node:assert/strict'
import { findCamera, say, signIn } from './support.mjs'

/** Lets the next POST to a path arrive, and its answer not. */
const loseAnswer = ({ page, context }, path) => page.route((url) => url.pathname === path, async (route) => {
  const sent = route.request()
  const answer = await context.request.post(sent.url(), { data: sent.postDataJSON(), headers: { 'Idempotency-Key': sent.headers()['idempotency-key'] } })
  assert.ok(answer.ok(), `it arrived: ${answer.status()}`)
  await route.abort('connectionreset')
}, { times: 1 })

export async function lostAnswer(world) {
  const investigator = await signIn(world, 'investigator', { expected: [/\/api\/v1\/me$/, /\/video-requests$/, /\/comments$/] })
  const { page, json } = investigator
  const camera = await findCamera(investigator, () => true)
  const asked = async () => (await json('/video-requests?q=Lost%20on%20its%20way')).items
  await page.goto(`/registry?view=list&chosen=${camera.id}&sheet=request`)
  await loseAnswer(investigator, '/api/v1/video-requests')
  await page.getByLabel('What is it about').fill('Lost on its way')
  await page.getByRole('button', { name: 'Send request' }).click()
  await page.getByRole('alert').filter({ hasText: 'It may have arrived all the same' }).waitFor()
  await page.getByLabel('Why you ask').fill('With one word more')
  await page.getByRole('button', { name: 'Send request' }).click()
  await page.waitForURL(/\/requests\/req_/)
  const made = await asked()
  assert.equal(made.length, 1, 'one request was made')
  await page.getByText(`Your request had arrived: ${made[0].number}.`).waitFor()
  say(`a changed form leads to ${made[0].number}, which had arrived`)

  await loseAnswer(investigator, `/api/v1/video-requests/${made[0].id}/comments`)
  await page.getByPlaceholder('Write a comment').fill('Said once')
  await page.getByRole('button', { name: 'Comment' }).click()
  await page.getByRole('alert').filter({ hasText: 'It may have arrived all the same' }).waitFor()
  await page.getByRole('button', { name: 'Comment' }).click()
  await page.waitForFunction(() => document.querySelector('textarea[placeholder="Write a comment"]').value === '')
  const { thread } = await json(`/video-requests/${made[0].id}`)
  assert.equal(thread.filter((message) => message.body === 'Said once').length, 1)
  say('a comment that was sent again after its answer was lost is there once')
}
