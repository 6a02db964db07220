// Who may only look has their name over the picture: also on the whole screen, and in what they save of it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { person, say } from './support.mjs'

/** The prosecutor may look at the files of a case, and nothing more. */
async function share(prosecutor, investigator, caseId) {
  const { id } = (await prosecutor.json('/me')).account
  const { entries, version } = await investigator.json(`/cases/${caseId}/access`)
  const answer = await investigator.context.request.put(`/api/v1/cases/${caseId}/access`, {
    headers: { 'If-Match': `"${version}"` }, data: { entries: [...entries, { principal_id: id, level: 'view' }] },
  })
  assert.equal(answer.status(), 200, await answer.text())
}

/** Opens the file and saves the picture at its fifth second; answers it as the bytes of a PNG. */
async function savedPicture({ page }, { request, file }) {
  await page.goto(`/cases/${request.case_id}?file=${file.id}`)
  const player = page.getByRole('group', { name: /^Player/ })
  await player.locator('video').evaluate((v) => new Promise((done) => {
    // The picture may be there already: no callback for a frame would come then.
    v.addEventListener('seeked', () => setTimeout(done, 500), { once: true })
    v.currentTime = 5.02
  }))
  const [download] = await Promise.all([page.waitForEvent('download'), player.getByRole('button', { name: 'Save this picture' }).click()])
  return readFileSync(await download.path())
}

/** How many points of each quarter of a picture's height, from above, differ from those of another picture. */
const differences = (page, pictures) => page.evaluate(async (both) => {
  const points = async (base64) => {
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${base64}`)).blob())
    const pen = new OffscreenCanvas(image.width, image.height).getContext('2d')
    pen.drawImage(image, 0, 0)
    return pen.getImageData(0, 0, image.width, image.height).data
  }
  const [one, other] = await Promise.all(both.map(points))
  const found = [0, 0, 0, 0]
  for (let i = 0; i < one.length; i += 4) if (Math.abs(one[i] - other[i]) > 24) found[Math.floor((i / one.length) * 4)] += 1
  return found
}, pictures.map((png) => png.toString('base64')))

/** Nothing leads to what is not there for somebody; who goes there all the same is told so, and where to go. */
async function onlyWhatIsOpen(page, caseId) {
  await page.goto(`/cases/${caseId}`)
  const tabs = page.getByRole('navigation', { name: 'Case' })
  await tabs.getByRole('link', { name: 'History' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Requests' }).count(), 0)
  await page.goto(`/requests?tab=all&case=${caseId}`)
  await page.getByText('“Requests” is not open to your account').waitFor()
  await page.getByRole('link', { name: 'Go to Cases' }).click()
  await page.getByRole('heading', { name: 'Cases' }).waitFor()
  say('nothing leads the prosecutor to requests, and whoever goes there is led back')
}

export async function viewOnly(world) {
  const [prosecutor, investigator] = [await person(world, 'prosecutor'), await person(world, 'investigator')]
  await share(prosecutor, investigator, world.fetched.request.case_id)
  await onlyWhatIsOpen(prosecutor.page, world.fetched.request.case_id)
  const theirs = await savedPicture(prosecutor, world.fetched)
  const { page } = prosecutor
  const mark = page.locator('.player-viewer')
  const { name } = (await prosecutor.json('/me')).account
  assert.equal(await mark.textContent(), name)
  assert.equal(await mark.evaluate((svg) => getComputedStyle(svg).pointerEvents), 'none', 'the picture is pressed through it')
  await page.getByRole('button', { name: 'Whole screen' }).click()
  await page.waitForFunction(() => document.fullscreenElement?.querySelector('.player-viewer')?.getBoundingClientRect().height > 300)
  await page.evaluate(() => document.exitFullscreen())

  const plain = await savedPicture(investigator, world.fetched)
  assert.equal(await investigator.page.locator('.player-viewer').count(), 0, 'whoever may download sees the picture alone')
  const blank = await investigator.context.newPage()
  const found = await differences(blank, [theirs, plain])
  await blank.close()
  assert.ok(found[3] > 200 && found[0] + found[1] + found[2] < 20, `the name is in the lowest quarter of the saved picture: ${found}`)
  say(`${name} may only look, and is named over the picture and in what they save`)
}
