// A day's work on the desks of the city, so that each screen has something to show: requests in every state that people bring about,
// links that hold, were used, ran out. Made through the API, in the name of those who would do it.
import assert from 'node:assert/strict'
import { person } from './support.mjs'

const minutes = (n) => new Date(Math.floor(Date.now() / 60_000) * 60_000 + n * 60_000).toISOString()
const token = (link) => new URL(link.url).pathname.split('/').pop()

/** Asks for minutes of cameras, or of a place only. */
function asker(investigator) {
  return (name, cameras, more = {}) => investigator.post('/video-requests', {
    name, category: 'Robbery', reason: 'Two on a moped took a handbag and rode off towards the river.', ...more,
    incident: { number: 'PA-26-11874', from: minutes(-10), to: minutes(-6), position: { lat: 47.48, lon: -122.02 }, address: '6th Street & Main Avenue' },
    items: cameras.length > 0 ? cameras.map((camera) => ({ source_id: camera.id, from: minutes(-10), to: minutes(-6) })) : [{ from: minutes(-10), to: minutes(-6) }],
  })
}

/** The first camera's footage is kept until somebody decides. */
async function hold(approver, request) {
  await approver.post(`/request-items/${request.items[0].id}/hold`)
  for (let tries = 0; (await approver.json(`/video-requests/${request.id}`)).items[0].hold !== 'held'; tries += 1) {
    assert.ok(tries < 120, 'the connector holds what it is asked to hold')
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

/** Requests that wait, were asked about, were denied, wait for a link. */
async function requests(investigator, approver, cameras) {
  const ask = asker(investigator)
  const { recorded, unrecorded } = cameras
  const pending = await ask('Handbag taken at the crossing, two on a moped', [recorded[1], recorded[2], unrecorded[1]], { needed_by: minutes(60 * 24) })
  await hold(approver, pending)
  const place = await ask('Hit and run, silver estate car', [])
  const questioned = await ask('Missing person, last seen near the station', [recorded[3]])
  await approver.post(`/request-items/${questioned.items[0].id}/ask`, { body: 'Which platform? The camera turns.' })
  const denied = await ask('Vandalism at the stop', [unrecorded[2]])
  await approver.post(`/request-items/${denied.items[0].id}/deny`, { comment: 'The camera was being replaced that week.' })
  const linked = await ask('Burglary at the pharmacy', [unrecorded[3]])
  await approver.post(`/request-items/${linked.items[0].id}/approve`)
  return { pending, place, questioned, denied, linked }
}

/** Upload links in each of their lives, by the case they are for. */
async function links(investigator, approver, linked, caseId) {
  const make = (name, more = {}) => investigator.post(`/cases/${caseId}/file-requests`, { name, expires_at: minutes(60 * 24 * 3), ...more })
  const answer = async (link, body) => {
    const done = await fetch(`${new URL(link.url).origin}/api/v1/links/${token(link)}/answer`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
    if (!done.ok) throw new Error(`answering a link: ${done.status} ${await done.text()}`)
  }
  const fresh = await approver.post(`/request-items/${linked.items[0].id}/file-request`)
  const open = await make('Burglary at the pharmacy', { description: 'Anything from the back yard between nine and ten in the evening.' })
  const answered = await make('What the doorbell saw')
  await answer(answered, { answer: 'have' })
  const refused = await make('What the parked car saw')
  await answer(refused, { answer: 'nothing' })
  const expired = await make('What the taxi saw', { expires_at: new Date(Date.now() + 2_000).toISOString() })
  return { fresh: token(fresh), open: token(open), answered: token(answered), refused: token(refused), expired: token(expired) }
}

/** Everything that the screens name: ids of the demo, of the story, and of what is made here. */
export async function furnish(world) {
  const [investigator, approver, administrator] = [await person(world, 'investigator'), await person(world, 'approver'), await person(world, 'administrator')]
  const { items } = await investigator.json('/sources?limit=500')
  const cameras = { recorded: items.filter((camera) => camera.connector), unrecorded: items.filter((camera) => !camera.connector) }
  const asked = await requests(investigator, approver, cameras)
  const caseId = world.uploaded.request.case_id
  const me = await administrator.json('/me')
  await administrator.post('/groups', { name: 'Robbery squad', organization_id: me.account.organization.id })
  const empty = await investigator.post('/cases', { name: 'Cold case, reopened' })
  const token = (await administrator.post('/tokens', { name: 'Nightly report', scopes: ['view_registry'] })).token
  return {
    camera: cameras.recorded[0].id, bare: cameras.unrecorded[0].id, chosen: `${cameras.recorded[0].id},${cameras.unrecorded[0].id}`, near: '47.4800,-122.0200',
    asked, empty: empty.id, token,
    fetched: { request: world.fetched.request.id, case: world.fetched.request.case_id, file: world.fetched.file.id },
    uploaded: { request: world.uploaded.request.id, case: caseId, file: world.uploaded.request.items[0].evidence[0].id, link: world.uploaded.url.split('/').pop(), revoked: world.uploaded.mailed.split('/').pop() },
    links: await links(investigator, approver, asked.linked, caseId),
    connector: (await administrator.json('/connectors')).items[0].id,
    awaited: (await administrator.post('/connectors', { name: 'Depot recorder', organization_id: me.account.organization.id })).connector.id,
    mail: (await administrator.json('/mails?limit=500')).items.find((mail) => mail.subject.includes(world.fetched.request.number)).id,
    account: (await administrator.json('/accounts?limit=500')).items.find((account) => account.id !== me.account.id).id,
  }
}
