// The tests of the page in a real browser, against one demo city: npm run e2e, after `cargo build --bins` and `npm run build`.
//   npm run e2e [screens]      screens: a pattern; only the screens so named are looked at for accessibility
//   PICTURES=folder            keeps a picture of each screen, and of each page that stood when a test failed
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accessibility } from './accessibility.mjs'
import { cameraForm } from './camera-form.mjs'
import { heldAndReviewed } from './held-and-reviewed.mjs'
import { listAndMap } from './list-and-map.mjs'
import { lostAnswer } from './lost-answer.mjs'
import { manyToDecide } from './many-to-decide.mjs'
import { narrow } from './narrow.mjs'
import { requestForm } from './request-form.mjs'
import { story } from './story.mjs'
import { silentConnector } from './silent-connector.mjs'
import { say, startBrowser, startDemo } from './support.mjs'
import { uploadByLink } from './upload-by-link.mjs'
import { viewOnly } from './view-only.mjs'
import { wrongClock } from './wrong-clock.mjs'

/** In this order: what the others leave behind is what the last one looks at. */
const TESTS = { story, 'silent connector': silentConnector, 'upload by link': uploadByLink, 'camera form': cameraForm, 'lost answer': lostAnswer, 'request form': requestForm, 'list and map': listAndMap, 'held and reviewed': heldAndReviewed, 'many to decide': manyToDecide, narrow, 'view only': viewOnly, 'wrong clock': wrongClock, accessibility }

/** Runs a test; a page that threw, complained or called a stranger meanwhile fails it too. */
async function passes(world, name, test) {
  try {
    await test(world)
    const faults = world.visitors.flatMap((visitor) => visitor.faults.splice(0))
    if (faults.length > 0) throw new Error(`the pages had faults:\n${[...new Set(faults)].join('\n')}`)
    say(`${name}: passed`)
    return true
  } catch (error) {
    say(`${name}: FAILED`)
    console.error(error)
    for (const { page } of world.visitors) await keep(world, page, name)
    return false
  }
}

async function keep(world, page, name) {
  console.error(`  a page stood at ${page.url()}`)
  if (world.pictures) await page.screenshot({ path: join(world.pictures, `failed-${name}-${new URL(page.url()).pathname.replaceAll('/', '-')}.png`) }).catch(console.error)
}

const pictures = process.env.PICTURES
if (pictures) mkdirSync(pictures, { recursive: true })
const folder = mkdtempSync(join(tmpdir(), 'sightline-e2e-'))
const browser = await startBrowser()
const city = await startDemo(folder)
const world = { folder, browser, city, pictures, people: {}, visitors: [], screens: new RegExp(process.argv[2] ?? '') }
let passed = 0
try {
  say(`the city stands at ${city.url}`)
  // A test builds on those before it: after a failure the rest would only repeat it.
  for (const [name, test] of Object.entries(TESTS)) {
    if (!(await passes(world, name, test))) break
    passed += 1
  }
} finally {
  await browser.close()
  await city.stop()
  const failed = Object.keys(TESTS).length - passed
  // Whatever was done to the city: rows, files and ledger agree. A mismatch throws, and fails the run.
  say(city.check().split('\n').at(-1))
  if (failed > 0) console.error(city.lastWords())
  rmSync(folder, { recursive: true, force: true })
  console.log(`${passed} passed, ${failed} failed`)
  process.exitCode = failed > 0 ? 1 : 0
}
