// A camera that no connector serves: whoever has its footage gets a link, answers on a phone, loses the network in the middle of a
// file, and holds a receipt in the end.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { approve, ask, findCamera, person, play, say, visitor } from './support.mjs'

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** What a phone and an old recorder would hand over: one of several megabytes, one small. */
function recordings(folder) {
  const make = (name, picture, seconds, ...how) => {
    const path = join(folder, name)
    execFileSync('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', picture, '-t', String(seconds), ...how, path])
    return { path, name, seconds, size: readFileSync(path).length, sha256: sha256(readFileSync(path)) }
  }
  return [
    make('counter.mp4', 'testsrc2=size=1280x720:rate=25,noise=alls=12:allf=t', 5, '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '27', '-pix_fmt', 'yuv420p'),
    make('back door.avi', 'testsrc=size=320x240:rate=10', 4, '-c:v', 'mjpeg', '-q:v', '8'),
  ]
}

/** The link that the mail in the outbox carries. */
async function mailedLink(world, asked) {
  const administrator = await person(world, 'administrator')
  const { items } = await administrator.json('/mails?limit=500')
  for (const mail of items.filter(({ subject }) => subject.includes(asked.number))) {
    const link = /https?:\/\/\S+\/f\/[\w-]+/.exec((await administrator.json(`/mails/${mail.id}`)).text)?.[0]
    if (link) return link
  }
  throw new Error(`no mail about ${asked.number} carries a link`)
}

/** The approver takes the mailed link back, and makes a fresh one on the page. */
async function remakeLink(approver, asked) {
  const { page } = approver
  await page.goto(`/requests/${asked.id}`)
  await page.getByRole('button', { name: 'Revoke link' }).click()
  await page.getByRole('button', { name: 'Revoke', exact: true }).click()
  await page.getByText('The upload link was revoked').waitFor()
  await page.getByRole('button', { name: 'Upload link' }).click()
  await page.getByRole('button', { name: 'Make the link' }).click()
  return page.locator('.link-text').textContent()
}

const sent = async (page, token) => (await (await fetch(`${new URL(page.url()).origin}/api/v1/links/${token}`)).json()).files
const choose = (page, file, name) => page.getByLabel('Files to send').setInputFiles({ name, mimeType: 'video/mp4', buffer: readFileSync(file.path) })
const arrivedShare = (page, share) => page.waitForFunction((least) => [...document.querySelectorAll('[role=progressbar]')].some((bar) => bar.dataset.state !== 'done' && Number(bar.ariaValueNow) >= least), share)

/** A file whose name the server keeps without its tricks goes on after the page was closed, and is there once; its like is asked about. */
async function oddName(world, neighbour, token, file) {
  const { page } = neighbour
  const odd = { path: join(world.folder, '\u202aback yard.mp4') }
  writeFileSync(odd.path, Buffer.concat([readFileSync(file.path), Buffer.alloc(8)]))
  const wire = await slowWire(neighbour, file.size / 4)
  await page.getByLabel('Files to send').setInputFiles(odd.path)
  await arrivedShare(page, 20)
  page.once('dialog', (dialog) => dialog.accept())
  await page.reload()
  await page.getByText('back yard.mp4 did not arrive whole').waitFor()
  await wire.detach()
  await page.getByLabel('Files to send').setInputFiles(odd.path)
  await page.getByText('✓ Arrived').waitFor()
  assert.equal(await page.getByText(/whole/).count(), 0, await page.locator('body').innerText())
  assert.deepEqual((await sent(page, token)).map(({ name, finished }) => ({ name, finished })), [{ name: 'back yard.mp4', finished: true }])
  await page.getByRole('button', { name: 'That is all: finish' }).waitFor()
  await choose(page, odd, 'copy.mp4')
  await page.getByText(/copy.mp4 is as long, to the byte, as .?back yard.mp4, which has arrived/).waitFor()
  await page.getByRole('button', { name: 'Leave it out' }).click()
  say('a file of an odd name went on after a reload, and its copy was asked about')
}

/** Takes files back, one while it is on its way, one that an earlier visit left half: the server forgets them. */
async function removeTwo(page, token, file) {
  await choose(page, file, 'wrong.mp4')
  await waitFor(async () => (await sent(page, token)).length === 1)
  const remove = page.getByRole('button', { name: 'Remove wrong.mp4' })
  assert.ok((await remove.boundingBox()).height >= 44, 'a thumb finds it')
  await remove.click()
  await waitFor(async () => (await sent(page, token)).length === 0)
  await page.getByText('wrong.mp4').waitFor({ state: 'detached' })

  await choose(page, file, 'half.mp4')
  await waitFor(async () => (await sent(page, token)).length === 1)
  page.once('dialog', (dialog) => dialog.accept())
  await page.reload()
  await page.getByText('half.mp4 did not arrive whole').waitFor()
  await page.getByRole('button', { name: 'Remove half.mp4' }).click()
  await waitFor(async () => (await sent(page, token)).length === 0)
  await page.getByText('half.mp4').first().waitFor({ state: 'detached' })
  say('a file was taken back while it was on its way, and one that was left half')
}

async function waitFor(so) {
  for (let tries = 0; !(await so()); tries += 1) {
    assert.ok(tries < 200, String(so))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function slowWire({ context, page }, bytesPerSecond) {
  const wire = await context.newCDPSession(page)
  await wire.send('Network.emulateNetworkConditions', { offline: false, latency: 20, downloadThroughput: -1, uploadThroughput: bytesPerSecond })
  return wire
}

/** A link that is revoked while a file is on its way says so, and lets nobody finish. */
async function revokedMeanwhile(world, investigator, file) {
  const { id } = await investigator.post('/cases', { name: 'What the neighbour saw' })
  const link = await investigator.post(`/cases/${id}/file-requests`, { name: 'What the neighbour saw' })
  const neighbour = await visitor(world, { width: 390, expected: [/\/api\/v1\/(uploads|links)/] })
  const { page } = neighbour
  await page.goto(link.url)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page.getByLabel('I have it').check()
  const clock = page.getByLabel('What does the recorder’s clock show')
  await clock.fill('about nine')
  await page.getByRole('button', { name: 'Go on to the files' }).click()
  await page.getByText('like 21:05:40').waitFor()
  assert.equal(await clock.inputValue(), 'about nine', 'what was typed stays')
  await clock.fill('9:05 pm')
  await page.getByRole('button', { name: 'Go on to the files' }).click()
  await page.getByRole('heading', { name: 'Choose the files' }).waitFor()
  await oddName(world, neighbour, link.url.split('/').pop(), file)
  await slowWire(neighbour, file.size / 4)
  await choose(page, file, 'late.mp4')
  await arrivedShare(page, 20)
  await investigator.context.request.delete(`/api/v1/file-requests/${link.id}`)
  await page.getByRole('heading', { name: 'This link was taken back' }).waitFor({ timeout: 60_000 })
  assert.equal(await page.getByRole('button', { name: 'finish' }).count(), 0)
  say('a link that was revoked while a file was on its way says so')
}

/** Breaks the network while the file is on its way; answers the offset from which it went on. */
async function sendThroughOutage({ context, page }, token, files) {
  const big = files[0]
  const resumed = []
  page.on('request', (request) => { if (request.method() === 'PATCH') resumed.push(Number(request.headers()['upload-offset'])) })
  const wire = await slowWire({ context, page }, big.size / 6)
  await removeTwo(page, token, big)
  resumed.length = 0
  await page.getByLabel('Files to send').setInputFiles(files.map((file) => file.path))
  await page.waitForFunction((name) => Number(document.querySelector(`[role=progressbar][aria-label="${name}"]`)?.ariaValueNow) >= 40, big.name)
  await context.setOffline(true)
  await page.getByText('No signal. It goes on by itself.').first().waitFor()
  const link = await (await fetch(`${new URL(page.url()).origin}/api/v1/links/${token}`)).json()
  assert.deepEqual(link.files.find((file) => file.name === big.name).finished, false, 'the network broke in the middle of the file')
  assert.equal(await page.getByRole('button', { name: 'Wait for the files' }).isEnabled().catch(() => false), false, 'nothing can be finished while a file is on its way')
  resumed.length = 0
  await context.setOffline(false)
  await page.getByText('✓ Arrived').nth(files.length - 1).waitFor({ timeout: 60_000 })
  await wire.detach()
  return resumed.find((offset) => offset > 0)
}

/** A file that is here is not sent again, and says so; while something is asked about a file, nothing can be finished. */
async function chooseAgain(page, files) {
  const finish = page.getByRole('button', { name: 'That is all: finish' })
  await page.getByLabel('Files to send').setInputFiles(files[0].path)
  await page.getByText(`${files[0].name}: already here`).waitFor()
  assert.equal(await page.getByText('✓ Arrived').count(), files.length)
  await page.getByLabel('Files to send').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('These are notes.') })
  await page.getByText('Decide about notes.txt first').waitFor()
  assert.equal(await finish.isDisabled(), true, 'a question waits for its answer')
  await page.getByRole('button', { name: 'Leave it out' }).click()
  assert.equal(await finish.isEnabled(), true)
  say('a file that was chosen again was said to be here; a doubtful one kept the link open until it was decided about')
}

/** The phone's clock is 37 minutes fast. */
const fast = () => {
  const Right = Date
  globalThis.Date = class extends Right {
    constructor(...given) { super(...(given.length > 0 ? given : [Right.now() + 37 * 60_000])) }
    static now() { return Right.now() + 37 * 60_000 }
  }
}

/** Answers that there is a part; a slip in it is told, and what was sent is there again, and is sent again, after going back. */
async function answer(page, link) {
  const onward = () => page.getByRole('button', { name: 'Go on to the files' }).click()
  const files = page.getByRole('heading', { name: 'Choose the files' })
  const [from, to] = ['From', 'To'].map((label) => page.getByRole('textbox', { name: new RegExp(`^${label}`) }))
  await page.getByLabel('I have part of it').check()
  const [begins, ends] = [await from.inputValue(), await to.inputValue()]
  await to.fill('2031-01-01T12:00:00')
  await page.getByLabel('What does the recorder’s clock show').fill('9:05 pm')
  const at = Date.now()
  await page.getByLabel('Anything to add').fill('Ask for <b>Kim</b> at the counter.')
  await onward()
  await page.getByText(/^You are asked for .* Say which part of that you have\.$/).waitFor()
  await to.fill(ends)
  await from.fill(begins.replace(/(T..:..)(:\d\d)?$/, '$1:30'))
  await onward()
  await files.waitFor()
  const first = await link()
  assert.equal(first.answer, 'part')
  assert.ok(first.part.from > first.from, 'what is asked stays as it was')
  const noted = Date.parse(/when it was (\S+Z)\./.exec(first.comment)[1])
  assert.ok(Math.abs(noted - at) < 5000, `the true time is noted, not the phone's: ${first.comment}`)
  await page.getByRole('button', { name: 'Back' }).click()
  await page.getByText('You have told: The recorder showed 9:05 pm').waitFor()
  await page.getByLabel('I have it').check()
  await onward()
  await files.waitFor()
  const { now: _, answer: __, part, ...same } = await link()
  assert.equal(part, null)
  assert.deepEqual(same, (({ now, answer, part, ...rest }) => rest)(first), 'nothing that was sent is erased')
  say('a part was corrected; the clock was noted by the true time, and going back erased nothing')
}

async function answerAndSend(world, url, files) {
  const token = url.split('/').pop()
  const participant = await visitor(world, { width: 390, expected: [/\/api\/v1\/uploads/] })
  const { page } = participant
  await page.addInitScript(fast)
  await page.goto(url)
  assert.deepEqual(await participant.context.cookies(), [], 'a link needs no session')
  await page.getByRole('button', { name: 'Go on' }).click()
  await answer(page, async () => (await fetch(`${world.city.url}/api/v1/links/${token}`)).json())
  const offset = await sendThroughOutage(participant, token, files)
  assert.ok(offset > 0 && offset < files[0].size, `it went on at ${offset} of ${files[0].size} bytes`)
  say(`the network broke and came back; ${files[0].name} went on at byte ${offset} of ${files[0].size}`)
  await chooseAgain(page, files)
  await page.getByRole('button', { name: 'That is all: finish' }).click()
  await page.getByRole('heading', { name: 'Thank you. It has arrived.' }).waitFor()
  return participant
}

const receipt = (page) => page.locator('.g-files li').evaluateAll((rows) => rows.map((row) => ({ name: row.querySelector('strong').textContent, sha256: row.querySelector('code')?.textContent })))
const byName = (a, b) => a.name.localeCompare(b.name)

export async function uploadByLink(world) {
  const files = recordings(world.folder)
  const investigator = await person(world, 'investigator')
  const approver = await person(world, 'approver')
  const camera = await findCamera(investigator, (source) => !source.connector)
  const asked = await ask(investigator, camera, 'Break-in behind the shop', 'Somebody forced the back door during the night.')
  await approve(approver, asked)
  await investigator.page.getByText('through the upload link').waitFor({ timeout: 60_000 })

  const mailed = await mailedLink(world, asked)
  const reader = await visitor(world, { width: 390, expected: [/\/api\/v1\/links\//] })
  await reader.page.goto(mailed)
  await reader.page.getByRole('heading', { name: 'asks you for video' }).waitFor()
  const url = await remakeLink(approver, asked)
  assert.notEqual(url, mailed)
  await reader.page.reload()
  await reader.page.getByRole('heading', { name: 'This link was taken back' }).waitFor()
  say('the mailed link was taken back, and says so; another was made on the page')

  await revokedMeanwhile(world, investigator, files[0])
  const { page } = await answerAndSend(world, url, files)
  const expected = files.map(({ name, sha256 }) => ({ name, sha256 })).sort(byName)
  assert.deepEqual((await receipt(page)).sort(byName), expected, 'the receipt shows the fingerprints of the files')
  await page.reload()
  await page.getByRole('heading', { name: 'Thank you. It has arrived.' }).waitFor()
  assert.deepEqual((await receipt(page)).sort(byName), expected, 'the finished link shows the same receipt')
  const again = await fetch(`${world.city.url}/api/v1/links/${url.split('/').pop()}/answer`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"answer":"no"}' })
  assert.equal((await again.json()).code, 'link_finished')
  say('the receipt shows the fingerprints of the files, and the link takes no more')

  await investigator.page.getByText('Completed').first().waitFor({ timeout: 60_000 })
  const note = investigator.page.locator('.quoted', { hasText: 'Ask for <b>Kim</b> at the counter.' })
  await note.waitFor()
  assert.match(await note.textContent(), /The recorder showed 9:05 pm when it was .*\d\d:\d\d:\d\d/)
  say('the investigator reads at the request what the holder of the link wrote, as text')
  const done = await investigator.json(`/video-requests/${asked.id}`)
  const { evidence } = done.items[0]
  assert.deepEqual(evidence.map(({ name, sha256 }) => ({ name, sha256 })).sort(byName), expected)
  for (const file of files) {
    const kept = evidence.find(({ name }) => name === basename(file.path))
    const seconds = await play(investigator.page, done.case_id, kept.id)
    assert.ok(Math.abs(seconds - file.seconds) < 0.5, `${file.name}: ${seconds} s of ${file.seconds} s`)
    await note.waitFor()
    const original = await investigator.context.request.get(`/api/v1/evidence/${kept.id}/original`)
    assert.equal(sha256(await original.body()), file.sha256, `the original of ${file.name} is what was sent`)
  }
  say('both files play in the case, and the originals are what was sent')
  world.uploaded = { request: done, url, mailed }
}
