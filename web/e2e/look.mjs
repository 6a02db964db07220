// Pictures of every screen, and axe on each. Usage: node e2e/look.mjs [base] [folder]; wants `npm run preview` with the mock.
import { AxeBuilder } from '@axe-core/playwright'
import { mkdirSync } from 'node:fs'
import { chromium } from 'playwright-core'

const [base = 'http://localhost:4173', folder = '/tmp/sightline-look'] = process.argv.slice(2)
const ROUTES = {
  'sign-in': '/sign-in', password: '/password', registry: '/registry', camera: '/registry?view=list&camera=cam_010', 'request-form': '/registry?view=list&chosen=cam_003,cam_005&sheet=request',
  requests: '/requests?tab=all', request: '/requests/req_0', review: '/review', cases: '/cases', case: '/cases/cas_0', file: '/cases/cas_0?file=evd_c1', access: '/cases/cas_0?tab=access',
  connectors: '/connectors', connector: '/connectors/con_transit', mail: '/mail', message: '/mail?id=eml_1', jobs: '/jobs', accounts: '/accounts', account: '/accounts?id=acc_inv',
  organizations: '/organizations', groups: '/groups', tokens: '/tokens', settings: '/settings', guest: '/f/demo', expired: '/f/expired',
}
mkdirSync(folder, { recursive: true })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--no-sandbox'],
})
let faults = 0
for (const colorScheme of ['light', 'dark']) {
  for (const width of [1280, 390]) {
    const context = await browser.newContext({ viewport: { width, height: 820 }, colorScheme })
    const page = await context.newPage()
    page.on('pageerror', (error) => { faults += 1; console.log('PAGE', page.url(), String(error)) })
    for (const [name, path] of Object.entries(ROUTES)) {
      await page.goto(base + path)
      await page.waitForSelector('h1, h2', { timeout: 20_000 }).catch(() => undefined)
      await page.waitForTimeout(700)
      if (await page.$('.map')) await page.waitForSelector('.map[aria-busy=false]', { timeout: 40_000 }).catch(() => console.log('the map is late', path))
      const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze()
      for (const v of violations) {
        faults += 1
        console.log(`${name} ${width} ${colorScheme}: ${v.id} (${v.nodes.length}) ${v.nodes[0]?.html.slice(0, 140)}`)
      }
      if ((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) > 0) { faults += 1; console.log(`${name} ${width}: wider than the window`) }
      await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png` })
    }
    await context.close()
  }
}
await browser.close()
console.log(faults === 0 ? 'No fault found' : `${faults} faults`)
process.exit(faults === 0 ? 0 : 1)
