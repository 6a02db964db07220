// Every route of the page, in both themes, at 1280 and 390 pixels: axe finds no violation. Nothing is wider than the window, at 320 either. What
// a page throws, complains of or asks of strangers meanwhile fails the test too (run.mjs).
import axe from 'axe-core'
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { furnish } from './desk.mjs'
import { screens } from './screens.mjs'
import { person, say, visitor } from './support.mjs'

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

/** The paths of the router, as its source has them; the guest's page is an entry of its own. */
function routes() {
  const source = readFileSync(join(import.meta.dirname, '../src/router.tsx'), 'utf8')
  const found = [...source.matchAll(/\b(?:path: |page\()'([^']+)'/g)].map(([, path]) => path)
  assert.ok(found.includes('/') && found.includes('/cases/$id'), 'the router is written in another way: read its routes anew')
  return [...found, '/f/$token']
}

/** Nobody adds a route that is not looked at. */
function allRoutesAreLookedAt(all) {
  const paths = all.map(({ path }) => path.split('?')[0])
  for (const route of routes()) {
    const pattern = new RegExp(`^${route.replace(/\$\w+/g, '[^/]+')}$`)
    assert.ok(paths.some((path) => pattern.test(path)), `no screen of screens.mjs is at ${route}`)
  }
}

/** Until everything that comes has come: rows, pictures in sight, the map, what slides. */
async function settle(page) {
  await page.locator('h1, h2').first().waitFor({ state: 'attached', timeout: 30_000 })
  await page.waitForFunction(() => {
    const inSight = (image) => { const box = image.getBoundingClientRect(); return box.top < innerHeight && box.bottom > 0 && box.width > 0 }
    return !document.querySelector('[aria-busy=true], .mantine-Skeleton-root, [data-loading=true]')
      && [...document.querySelectorAll('.reg-map, .mini-map')].every((frame) => frame.querySelector('.map[aria-busy=false]'))
      && [...document.images].every((image) => image.complete || !inSight(image))
      && document.getAnimations().every((animation) => animation.playState !== 'running')
  }, null, { timeout: 60_000 })
}

/** What is wrong with a page as it stands. */
async function faultsOf(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
  const faults = await page.evaluate(async (values) => {
    // A message is shown in a frame where no script runs, so nothing can be asked of its inside.
    const { violations } = await window.axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'], iframes: false })
    return violations.map(({ id, nodes }) => `${id} (${nodes.length}): ${nodes[0].html.slice(0, 160)} ${nodes[0].any[0]?.message ?? ''}`)
  }, RULES)
  return [...faults, ...(await excessOf(page))]
}

async function excessOf(page) {
  const excess = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  return excess > 0 ? [`${excess} pixels wider than the window`] : []
}

/** What was begun in a form at the last look is not there at the next. */
async function visit(page, path) {
  await page.evaluate(() => {
    if (location.protocol === 'about:') return
    for (const key of Object.keys(sessionStorage)) if (key.startsWith('sightline-draft ')) sessionStorage.removeItem(key)
  })
  await page.goto(path)
  await settle(page)
}

async function lookAt(world, page, { name, path, open, widths }) {
  const faults = []
  for (const width of widths) {
    await page.setViewportSize({ width, height: 820 })
    await visit(page, path)
    await open?.(page)
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme })
      await settle(page)
      faults.push(...(await faultsOf(page)).map((fault) => `${name}, ${width} px, ${colorScheme}: ${fault}`))
      if (world.pictures) await page.screenshot({ path: join(world.pictures, `${name}-${width}-${colorScheme}.png`), fullPage: !(await page.locator('[role=dialog]').count()) })
    }
  }
  await page.setViewportSize({ width: 320, height: 820 })
  if (open) {
    await visit(page, path)
    await open(page)
  }
  await settle(page)
  faults.push(...(await excessOf(page)).map((fault) => `${name}, 320 px: ${fault}`))
  if (world.pictures) await page.screenshot({ path: join(world.pictures, `${name}-320.png`) })
  return faults
}

/** Who looks at which screens; those without an account each have a browser of their own. */
async function eyes(world, who) {
  if (who === 'nobody') return visitor(world, { expected: [/\/api\/v1\/(me|session)$/] })
  if (who === 'participant') return visitor(world, { expected: [/\/api\/v1\/links\//] })
  return person(world, who)
}

/** The faults of the screens that are wanted. Everybody looks at their own, one after the other, all people at the same time. */
export async function look(world, all) {
  const wanted = all.filter(({ name }) => world.screens.test(name))
  const looks = [...new Set(wanted.map(({ who }) => who))].map(async (who) => {
    const { page } = await eyes(world, who)
    const faults = []
    const theirs = wanted.filter((screen) => screen.who === who)
    for (const screen of theirs) faults.push(...await lookAt(world, page, screen).catch((error) => [`${screen.name}: ${error.message}`]))
    say(`${who} has looked at ${theirs.length} screens`)
    return faults
  })
  return (await Promise.all(looks)).flat()
}

export async function accessibility(world) {
  const all = screens(await furnish(world))
  allRoutesAreLookedAt(all)
  const faults = await look(world, all)
  assert.deepEqual(faults, [], `${faults.length} faults`)
}
