// What every test of the page uses: one demo city, one browser, people who are signed in, and an ear for whatever goes wrong in a page.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const program = join(process.env.CARGO_TARGET_DIR ?? join(import.meta.dirname, '../../target'), 'debug/sightline')

export const say = (words) => console.log(`${String(Math.round(performance.now() / 1000)).padStart(4)} s  ${words}`)

/** A port that was free a moment ago. */
const freePort = () => new Promise((resolve, reject) => {
  const probe = createServer().once('error', reject).listen(0, '127.0.0.1', () => {
    const { port } = probe.address()
    probe.close(() => resolve(port))
  })
})

/** A demo city of its own in a folder; answers its address, the password of each role, and how to stop it. */
export async function startDemo(folder) {
  const log = join(folder, 'demo.log')
  const demo = spawn(program, ['demo', '--data', join(folder, 'data'), '--listen', `127.0.0.1:${await freePort()}`, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] })
  demo.stderr.pipe(createWriteStream(log))
  const ended = new Promise((resolve) => demo.once('exit', resolve))
  const stop = () => { demo.kill('SIGTERM'); return ended }
  const check = () => execFileSync(program, ['check', '--data', join(folder, 'data')], { encoding: 'utf8' }).trim()
  let told = ''
  for await (const part of demo.stdout) {
    told += part
    const line = told.split('\n').find((text) => text.startsWith('{') && text.endsWith('}'))
    if (line) return { ...JSON.parse(line), pid: demo.pid, stop, check, lastWords: () => readFileSync(log, 'utf8').split('\n').slice(-30).join('\n') }
  }
  throw new Error(`the demo ended before it said where it is\n${readFileSync(log, 'utf8')}`)
}

export const startBrowser = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
})

/** A browser of somebody's own, with nobody signed in. Whatever its pages throw, complain of or ask of strangers is kept in `faults`. */
export async function visitor(world, { width = 1280, expected = [], storageState } = {}) {
  const { browser, city } = world
  const context = await browser.newContext({ baseURL: city.url, viewport: { width, height: 820 }, reducedMotion: 'reduce', storageState })
  const page = await context.newPage()
  const faults = []
  context.on('weberror', (error) => faults.push(`an error on ${page.url()}: ${error.error()}`))
  context.on('console', (message) => {
    if (message.type() !== 'error') return
    const { url } = message.location()
    // The browser itself reports an answer of 4xx; which of them belong to the story is said by the test.
    if (message.text().startsWith('Failed to load resource') && expected.some((pattern) => pattern.test(url))) return
    faults.push(`the console on ${page.url()}: ${message.text()} ${url}`)
  })
  context.on('request', (request) => { if (/^(https?|wss?):/.test(request.url()) && !request.url().startsWith(`${city.url}/`)) faults.push(`a request to ${request.url()}`) })
  const somebody = { context, page, faults }
  world.visitors.push(somebody)
  return somebody
}

/** Somebody of the demo, by their role or the beginning of their address, signed in as a person would; `json` and `post` speak with the API in their name. */
export async function signIn(world, who, options) {
  const { email, password } = world.city.accounts.find((account) => account.role === who || account.email.startsWith(who))
  const somebody = await visitor(world, { expected: [/\/api\/v1\/me$/], ...options })
  const { page, context } = somebody
  await page.goto('/')
  await page.getByLabel('E-mail or user name').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'))
  say(`${who} is signed in`)
  const answered = async (answer) => {
    const body = await answer.text()
    if (!answer.ok()) throw new Error(`${answer.url()}: ${answer.status()} ${body}`)
    return body ? JSON.parse(body) : null
  }
  return {
    ...somebody,
    json: async (path) => answered(await context.request.get(`/api/v1${path}`)),
    post: async (path, data = {}) => answered(await context.request.post(`/api/v1${path}`, { data })),
  }
}

/** Somebody of the demo; signed in at the first call. */
export async function person(world, who) {
  world.people[who] ??= await signIn(world, who)
  return world.people[who]
}

/** A published camera that fits. */
export async function findCamera(somebody, fits) {
  const { items } = await somebody.json('/sources?limit=500')
  return items.find((source) => source.published && fits(source))
}
export const isRecorded = (source) => source.connector?.online

/** Asks by the page, as an investigator does: one camera, two minutes. Answers the request as the API shows it. */
export async function ask(investigator, camera, name, reason) {
  await investigator.page.goto(`/registry?view=list&q=${encodeURIComponent(camera.name)}&chosen=${camera.id}&sheet=request`)
  return send(investigator, camera, name, reason)
}

/** Fills in the form that is open, and sends it. */
export async function send(investigator, camera, name, reason) {
  const { page } = investigator
  await page.getByLabel('What is it about').fill(name)
  await page.getByLabel('Why you ask').fill(reason)
  await page.getByRole('button', { name: 'Send request' }).click()
  await page.waitForURL(/\/requests\/req_/)
  const asked = await investigator.json(`/video-requests/${new URL(page.url()).pathname.split('/').pop()}`)
  say(`asked ${asked.number}: ${camera.name}, ${asked.items[0].from} to ${asked.items[0].to}`)
  return asked
}

/** Approves from the inbox, as an approver does. The page holds the decision back for five seconds; then it is on its way. */
export async function approve(approver, asked) {
  const { page } = approver
  await page.goto('/review')
  const card = page.getByRole('listitem').filter({ hasText: asked.number })
  await card.getByRole('button', { name: 'Approve' }).click()
  const sent = page.waitForResponse((answer) => answer.url().endsWith('/approve'))
  await card.locator('form').getByRole('button', { name: 'Approve' }).click()
  assert.equal((await sent).status(), 200)
  say(`approved ${asked.number}`)
}

/** Plays a file of a case to its end; answers how many seconds it lasts. */
export async function play(page, caseId, fileId) {
  await page.goto(`/cases/${caseId}?file=${fileId}`)
  return playToEnd(page)
}

/** Plays the open file by the player's own buttons, as fast as it goes. */
export async function playToEnd(page) {
  const player = page.getByRole('group', { name: /^Player/ })
  await player.getByLabel('Speed').selectOption('8', { timeout: 60_000 })
  await player.getByRole('button', { name: 'Play', exact: true }).click()
  await page.waitForFunction(() => { const v = document.querySelector('video'); return v.ended || v.error }, null, { timeout: 120_000 })
  const { error, seconds, frames } = await player.locator('video').evaluate((v) => ({
    error: v.error?.message, seconds: v.currentTime, frames: v.getVideoPlaybackQuality().totalVideoFrames,
  }))
  assert.equal(error, undefined)
  assert.ok(frames > 10, `${frames} frames were shown`)
  return seconds
}
