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

/** What was typed stands in its form until the server has it, and is said once: a question, its answer, the reason of a decision. */
async function wordsAreKept(world, investigator, { id }) {
  const approver = await signIn(world, 'approver', { expected: [/\/api\/v1\/me$/, /\/(ask|deny)$/] })
  const request = () => investigator.json(`/video-requests/${id}`)
  const path = `/api/v1/request-items/${(await request()).items[0].id}`
  const said = async (kind) => (await request()).thread.filter((message) => message.kind === kind).map(({ body }) => body)
  const { page } = approver
  await page.goto(`/requests/${id}`)
  await page.getByRole('button', { name: 'Ask a question' }).click()
  const question = page.getByLabel('What do you need to know')
  await question.fill('Which of both doors?')
  await loseAnswer(approver, `${path}/ask`)
  await page.getByRole('button', { name: 'Ask the question' }).click()
  await page.getByRole('alert').filter({ hasText: 'It may have arrived all the same' }).waitFor()
  assert.equal(await question.inputValue(), 'Which of both doors?')
  await page.getByRole('button', { name: 'Ask the question' }).click()
  await question.waitFor({ state: 'detached' })
  assert.deepEqual(await said('question'), ['Which of both doors?'])

  await investigator.page.goto(`/requests/${id}`)
  await investigator.page.getByRole('button', { name: 'Answer' }).click()
  const answer = investigator.page.getByLabel('Your answer')
  await answer.fill('The one at the back.')
  await investigator.page.route((url) => url.pathname === `${path}/answer`, (route) => route.abort('internetdisconnected'), { times: 1 })
  await investigator.page.getByRole('button', { name: 'Send the answer' }).click()
  await investigator.page.getByRole('alert').filter({ hasText: 'The server cannot be reached' }).waitFor()
  await investigator.page.getByRole('button', { name: 'Not now' }).click()
  await investigator.page.getByRole('button', { name: 'Answer' }).click()
  assert.equal(await answer.inputValue(), 'The one at the back.', 'also after the form was closed')
  await investigator.page.getByRole('button', { name: 'Send the answer' }).click()
  await answer.waitFor({ state: 'detached' })
  assert.deepEqual(await said('answer'), ['The one at the back.'])

  const deny = page.getByRole('button', { name: 'Deny', exact: true })
  const send = async () => {
    await page.locator('form').filter({ has: page.getByLabel('Why not') }).getByRole('button', { name: 'Deny' }).click()
    await page.getByRole('button', { name: 'Send now' }).click()
  }
  await deny.click()
  await page.getByLabel('Why not').fill('The door has no camera.')
  await page.route((url) => url.pathname === `${path}/deny`, (route) => route.fulfill({ status: 500, contentType: 'application/problem+json', json: { status: 500, code: 'internal', title: 'Internal Server Error', detail: 'Something broke.' } }), { times: 1 })
  await send()
  await page.getByText(/^Not done: Denying/).waitFor()
  await deny.click()
  assert.equal(await page.getByLabel('Why not').inputValue(), 'The door has no camera.')
  await send()
  await page.getByRole('region', { name: 'Thread' }).getByText('The door has no camera.').waitFor()
  assert.deepEqual(await said('decision'), ['The door has no camera.'])
  say('a question, its answer and the reason of a decision were kept until the server had them')
}

export async function lostAnswer(world) {
  const investigator = await signIn(world, 'investigator', { expected: [/\/api\/v1\/me$/, /\/video-requests$/, /\/comments$/, /\/answer$/] })
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
  await wordsAreKept(world, investigator, made[0])
}
