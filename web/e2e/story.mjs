// The story of the first paragraph of the README, in a real browser against the real programs: the investigator asks, the
// approver approves, the footage arrives and plays. Usage: npm run e2e, after `cargo build --bins` and `npm run build`.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const program = join(process.env.CARGO_TARGET_DIR ?? join(import.meta.dirname, '../../target'), 'debug/sightline')
const pictures = process.env.PICTURES
const say = (words) => console.log(`${String(Math.round(performance.now() / 1000)).padStart(4)} s  ${words}`)

/** A demo city of its own; answers its address and the password of each role. */
async function startDemo(folder) {
  const demo = spawn(program, ['demo', '--data', folder, '--listen', '127.0.0.1:18473', '--json'], { stdio: ['pipe', 'pipe', 'ignore'] })
  let told = ''
  for await (const part of demo.stdout) {
    told += part
    const line = told.split('\n').find((text) => text.startsWith('{') && text.endsWith('}'))
    if (line) return { demo, ...JSON.parse(line) }
  }
  throw new Error('the demo ended before it said where it is')
}

async function signIn(browser, city, role) {
  const { email, password } = city.accounts.find((account) => account.role === role)
  const context = await browser.newContext({ baseURL: city.url, viewport: { width: 1280, height: 820 } })
  const page = await context.newPage()
  page.on('pageerror', (error) => { throw error })
  const strangers = []
  page.on('request', (request) => { if (!request.url().startsWith(city.url) && /^https?:/.test(request.url())) strangers.push(request.url()) })
  await page.goto('/')
  await page.getByLabel('E-mail or user name').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'))
  say(`${role} is signed in`)
  return { page, strangers, json: async (path) => (await context.request.get(`/api/v1${path}`)).json() }
}

/** A camera that a connector has published and that records. */
async function recordedCamera(person) {
  for (let tries = 0; tries < 120; tries += 1) {
    const { items } = await person.json('/sources?limit=500')
    const camera = items.find((source) => source.connector?.online && source.published)
    if (camera) return camera
    await person.page.waitForTimeout(500)
  }
  throw new Error('no connector published a camera')
}

async function tell(browser, city) {
  const investigator = await signIn(browser, city, 'investigator')
  const camera = await recordedCamera(investigator)
  const { page } = investigator
  await page.goto(`/registry?view=list&q=${encodeURIComponent(camera.name)}&chosen=${camera.id}&sheet=request`)
  await page.getByLabel('What is it about').fill('Collision at the crossing')
  await page.getByLabel('Why you ask').fill('A cyclist was hit; the driver left.')
  await page.getByRole('button', { name: 'Send request' }).click()
  await page.waitForURL(/\/requests\/req_/)
  const id = new URL(page.url()).pathname.split('/').pop()
  const asked = await investigator.json(`/video-requests/${id}`)
  say(`asked ${asked.number}: ${camera.name}, ${asked.items[0].from} to ${asked.items[0].to}`)

  const approver = await signIn(browser, city, 'approver')
  await approver.page.goto('/review')
  await approver.page.getByText('Collision at the crossing').first().waitFor()
  await approver.page.getByRole('button', { name: 'Approve' }).first().click()
  await approver.page.locator('form').getByRole('button', { name: 'Approve' }).click()
  say('approved; the page waits five seconds before it sends')

  await page.getByText('Completed').first().waitFor({ timeout: 180_000 })
  say('the open page of the investigator says Completed, by itself')
  const done = await investigator.json(`/video-requests/${id}`)
  const [file] = done.items[0].evidence
  assert.equal(done.status, 'completed')
  assert.match(file.sha256, /^[0-9a-f]{64}$/)

  await page.goto(`/cases/${done.case_id}?file=${file.id}`)
  const video = page.locator('video').first()
  await video.waitFor({ timeout: 30_000 })
  await video.evaluate((v) => { v.muted = true; return v.play() })
  await page.waitForFunction(() => { const v = document.querySelector('video'); return v.videoWidth > 0 && v.currentTime > 0.5 }, null, { timeout: 30_000 })
  const seconds = await video.evaluate((v) => v.duration)
  const window = (Date.parse(done.items[0].to) - Date.parse(done.items[0].from)) / 1000
  assert.ok(seconds >= window - 0.15 && seconds <= window + 2.2, `${seconds} s were played of ${window} s asked`)
  say(`it plays: ${seconds.toFixed(1)} s for ${window} s asked`)
  if (pictures) await page.screenshot({ path: join(pictures, 'case.png') })

  const administrator = await signIn(browser, city, 'administrator')
  const mails = (await administrator.json('/mails?limit=500')).items.map((mail) => mail.subject)
  assert.equal(mails.filter((subject) => subject.includes(asked.number) && /ready|arrived|footage is/i.test(subject)).length, 1, mails.join('\n'))
  say('one mail says that the footage is ready')
  assert.deepEqual([...investigator.strangers, ...approver.strangers, ...administrator.strangers], [], 'no request to any other host')
}

const folder = mkdtempSync(join(tmpdir(), 'sightline-story-'))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
})
const city = await startDemo(folder)
try {
  say(`the city stands at ${city.url}`)
  await tell(browser, city)
  console.log('1 passed, 0 failed')
} catch (error) {
  for (const context of browser.contexts()) for (const page of context.pages()) {
    console.error(page.url())
    if (pictures) await page.screenshot({ path: join(pictures, `failed-${new URL(page.url()).pathname.replaceAll('/', '-')}.png`) })
  }
  console.error(error)
  console.log('0 passed, 1 failed')
  process.exitCode = 1
} finally {
  await browser.close()
  city.demo.kill('SIGTERM')
  await new Promise((ended) => city.demo.once('exit', ended))
  rmSync(folder, { recursive: true, force: true })
}
