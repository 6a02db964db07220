// Sixty requests wait for a decision, on a slow machine whose answers come one behind the other: the page draws them all.
import { person, say, visitor } from './support.mjs'

const MANY = 60

export async function manyToDecide(world) {
  const approver = await person(world, 'approver')
  const { page, context } = await visitor(world, { storageState: await approver.context.storageState() })
  const [head] = (await approver.json('/video-requests?limit=1')).items
  const whole = await approver.json(`/video-requests/${head.id}`)
  const like = (of) => Array.from({ length: MANY }, (_, i) => ({ ...of, id: `req_many_${i}`, number: `VR-${i}` }))
  const [heads, wholes] = [like(head), like(whole).map((request) => ({ ...request, items: request.items.map((item) => ({ ...item, allowed_actions: ['approve', 'deny', 'ask'] })) }))]
  await page.route(/\/video-requests\?/, (route) => route.fulfill({ json: { items: route.request().url().includes('reviewable') ? heads : heads.slice(0, 2), total: MANY, next_cursor: null } }))
  await page.route(/\/video-requests\/req_many_/, async (route) => {
    const at = Number(route.request().url().split('_').pop())
    await new Promise((resolve) => setTimeout(resolve, 1000 + 20 * at))
    await route.fulfill({ json: wholes[at] })
  })
  await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: 5 })
  await page.goto('/review')
  await page.getByRole('button', { name: 'Approve' }).nth(MANY - 1).waitFor({ timeout: 120_000 })
  say(`${MANY} requests to decide were drawn`)
  await context.close()
}
