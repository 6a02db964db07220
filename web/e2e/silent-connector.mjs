// A connector falls silent after the approval: the open page says so by itself, and the export starts when it is back.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { approve, ask, findCamera, isRecorded, person, say } from './support.mjs'

/** The connectors that the demo runs. */
function connectors(demo) {
  const threads = readdirSync(`/proc/${demo}/task`)
  const children = threads.flatMap((thread) => readFileSync(`/proc/${demo}/task/${thread}/children`, 'utf8').trim().split(' ').filter(Boolean))
  return children.map(Number).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('sightline-connector'))
}

export async function silentConnector(world) {
  const investigator = await person(world, 'investigator')
  const camera = await findCamera(investigator, isRecorded)
  const asleep = connectors(world.city.pid)
  assert.ok(asleep.length > 0, 'the demo runs connectors')
  for (const pid of asleep) process.kill(pid, 'SIGSTOP')
  try {
    const asked = await ask(investigator, camera, 'Theft from a car', 'A window was broken.')
    await approve(await person(world, 'approver'), asked)
    // A connector is offline after a minute and a half; nothing is said of it, so the page has to look.
    await investigator.page.getByText('The connector is offline').first().waitFor({ timeout: 150_000 })
    say('the open page says that the connector is offline, by itself')
  } finally {
    for (const pid of asleep) process.kill(pid, 'SIGCONT')
  }
  await investigator.page.getByText('Completed').first().waitFor({ timeout: 120_000 })
  say('the connector woke, and the export went on')
}
