// A believable city for the mock: a street grid, cameras, requests. Nothing here is shipped.
const LAT = 47.6062
const LON = -122.3321
const DLAT = 0.00115
const DLON = 0.0017
const NAMES_EW = ['Pine St', 'Oak St', 'Main St', 'Union St', 'Cherry St', 'Spring St', 'Bell St', 'Lake St', 'Water St']
const H = 3_600_000
let seed = 7
const random = () => { seed = (seed * 16807) % 2147483647; return seed / 2147483647 }
const pick = <T,>(list: T[]): T => list[Math.floor(random() * list.length)] as T
const ago = (ms: number) => new Date(Date.now() - ms).toISOString()
const hash = () => Array.from({ length: 64 }, () => '0123456789abcdef'[Math.floor(random() * 16)]).join('')
const nth = (n: number) => `${n}${n === 1 ? 'st' : n === 2 ? 'nd' : n === 3 ? 'rd' : 'th'} Ave`

export const organizations = [
  ['org_police', 'Harbor City Police', true], ['org_transit', 'Metro Transit', false], ['org_mall', 'Harbor Mall', false], ['org_uni', 'State University', false],
].map(([id, name, is_host]) => ({ id, name, is_host, time_zone: 'America/Los_Angeles', created_at: ago(900 * H), version: 1, allowed_actions: ['change'] }))
const org = (i: number) => ({ id: organizations[i]?.id as string, name: organizations[i]?.name as string })

const cross = (i: number, j: number) => ({ lat: LAT + (j - 4) * DLAT, lon: LON + (i - 5) * DLON })
export const placeList = Array.from({ length: 11 }, (_, i) => NAMES_EW.map((name, j) => ({ name: `${nth(i + 1)} & ${name}`, position: cross(i, j) }))).flat()

function street(name: string, a: { lat: number; lon: number }, b: { lat: number; lon: number }) {
  return { type: 'Feature', geometry: { type: 'LineString', coordinates: [[a.lon, a.lat], [b.lon, b.lat]] }, properties: { kind: 'street', name } }
}
function block(kind: string, lat: number, lon: number, h: number, w: number, name?: string) {
  const ring = [[lon, lat], [lon + w, lat], [lon + w, lat + h], [lon, lat + h], [lon, lat]]
  return { type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] }, properties: { kind, name } }
}
export const streets = {
  type: 'FeatureCollection',
  features: [
    block('water', LAT - 8 * DLAT, LON - 9 * DLON, 16 * DLAT, 3.2 * DLON, 'Elliott Bay'),
    block('park', LAT - 1.92 * DLAT, LON + 1.1 * DLON, 1.8 * DLAT, 0.85 * DLON, 'Union Park'),
    ...NAMES_EW.map((n, j) => street(n, cross(-0.7, j), cross(10.7, j))),
    ...Array.from({ length: 11 }, (_, i) => street(nth(i + 1), cross(i, -0.7), cross(i, 8.7))),
    ...Array.from({ length: 10 }, (_, i) => Array.from({ length: 8 }, (_, j) => {
      const c = cross(i, j)
      if (i === 6 && (j === 2 || j === 3)) return []
      return [0, 1, 2].map((k) => block('building', c.lat + DLAT * (0.16 + 0.1 * random()), c.lon + DLON * (0.14 + k * 0.26), DLAT * (0.4 + 0.2 * random()), DLON * 0.22))
    })).flat(2),
  ],
}

const SPOTS = ['north door', 'loading bay', 'platform 2', 'garage ramp', 'main entrance', 'ticket hall', 'crossing', 'bus stop']
export const cameras = Array.from({ length: 64 }, (_, n) => {
  const i = Math.floor(random() * 11)
  const j = Math.floor(random() * 9)
  const at = cross(i, j)
  const o = org(n % 4)
  const status = n % 11 === 3 ? 'offline' : n % 13 === 7 ? 'unknown' : 'online'
  const con = n % 4 === 1 ? { id: 'con_transit', name: 'Transit recorder', online: status !== 'offline', last_seen_at: ago(status === 'offline' ? 5 * H : 9000) } : n % 4 === 2 ? { id: 'con_mall', name: 'Mall VMS', online: true, last_seen_at: ago(4000) } : null
  const id = `cam_${String(n).padStart(3, '0')}`
  return {
    id, kind: 'camera', name: `${nth(i + 1)} & ${NAMES_EW[j]}, ${pick(SPOTS)}`, organization: o, position: { lat: at.lat + (random() - 0.5) * 0.0003, lon: at.lon + (random() - 0.5) * 0.0004 },
    address: `${100 * (i + 1)} ${NAMES_EW[j]}`, bearing_deg: n % 9 === 0 ? null : Math.floor(random() * 360), fov_deg: n % 9 === 0 ? null : pick([60, 80, 95]), range_m: pick([25, 40, 60]),
    retention_hours: pick([72, 168, 720]), status, published: true, tags: pick([['street'], ['indoor'], ['garage', 'night'], []]), thumbnail_url: n % 7 === 5 ? null : `/api/v1/cameras/${id}/thumbnail`, connector: con,
    description: n % 3 ? null : 'Above the door, sees both pavements.', site: 'Downtown', device_id: `ch-${n}`, type: pick(['fixed', 'dome', 'panning']), mounting_height_m: 4, tilt_deg: -15,
    clock_offset_ms: n % 5 === 0 ? 2400 : 0, clock_uncertainty_ms: 200, last_seen_at: ago(60_000), make: 'Axis', model: 'P3265', custom: {}, origins: { position: 'connector', bearing_deg: 'office' },
    created_at: ago(400 * H), updated_at: ago(30 * H), version: 3, allowed_actions: ['change', 'remove'],
  }
})

const people = [['acc_inv', 'Dana Reyes', 0], ['acc_app', 'Lee Okafor', 1], ['acc_adm', 'Robin Marsh', 0]] as const
const person = (i: number) => ({ id: people[i]?.[0] as string, name: people[i]?.[1] as string, organization: org(people[i]?.[2] as number) })
const TITLES = ['Robbery at the corner shop', 'Hit and run, grey van', 'Missing person, age 9', 'Burglary, roof hatch', 'Assault outside the bar', 'Theft of a cargo bike']
const STATES = ['pending', 'needs_information', 'exporting', 'released', 'approved', 'failed', 'unavailable', 'in_review', 'denied']
const WAITS: Record<string, string> = { pending: 'decision', needs_information: 'answer', approved: 'connector_offline', exporting: '' }
const VERBS: Record<string, string[]> = { pending: ['approve', 'deny', 'ask', 'unavailable'], needs_information: ['answer', 'cancel'], approved: ['file_request', 'cancel'], failed: ['retry'], in_review: ['release', 'deny'] }
const STATUS: Record<string, string> = { released: 'completed', failed: 'failed', unavailable: 'video_unavailable', denied: 'denied', pending: 'pending', needs_information: 'pending' }

export const requests = Array.from({ length: 14 }, (_, n) => {
  const start = Date.now() - (n * 9 + 3) * H
  const from = new Date(Math.floor(start / 60_000) * 60_000).toISOString()
  const to = new Date(Date.parse(from) + 120_000 * (1 + (n % 4))).toISOString()
  const items = Array.from({ length: 1 + (n % 3) }, (_, k) => {
    const cam = cameras[(n * 5 + k * 3) % 64] as (typeof cameras)[0]
    const state = (k === 0 ? STATES[n % STATES.length] : STATES[(n + k * 2) % STATES.length]) as string
    return {
      id: `itm_${n}_${k}`, source: { id: cam.id, name: cam.name, kind: 'camera', thumbnail_url: cam.thumbnail_url }, organization: cam.organization, channels: null, from, to,
      granted: state === 'released' ? { from, to } : null, state,
      reason: state === 'unavailable' ? { code: 'overwritten', detail: 'The oldest recording is of yesterday 04:10.' } : state === 'failed' ? { code: 'export_failed', detail: 'The recorder closed the connection three times while it exported.' } : null,
      waiting_for: WAITS[state] || null, hold: ['pending', 'approved', 'exporting'].includes(state) ? 'held' : 'none',
      progress: state === 'exporting' ? { bytes_done: 18_400_000, bytes_total: 43_000_000 } : null, overwrite_at: new Date(Date.parse(from) + cam.retention_hours * H).toISOString(),
      review_before_release: state === 'in_review', level: state === 'released' ? 'download' : null, decided_by: ['pending', 'needs_information'].includes(state) ? null : person(1), decided_at: null,
      missing: [], evidence: state === 'released' || state === 'in_review' ? [{ id: `evd_${n}_${k}`, name: `${cam.device_id}_${from.slice(0, 16).replaceAll(':', '')}.mp4`, size_bytes: 43_118_592, sha256: hash(), gaps: [], playable: 'ready', purged_at: null }] : [],
      file_request: null, allowed_actions: VERBS[state] ?? [],
    }
  })
  const state = items[0]?.state as string
  return {
    id: `req_${n}`, number: `V-2026-${String(120 - n).padStart(4, '0')}`, name: TITLES[n % TITLES.length], status: STATUS[state] ?? 'processing', open: !['completed', 'failed', 'denied', 'video_unavailable'].includes(STATUS[state] ?? 'processing'),
    requester: person(n % 3 === 2 ? 2 : 0), incident: { number: `26-${48_200 + n}`, from, to, position: cross(5, 2), address: '5th Ave & Main St' }, category: pick(['Robbery', 'Traffic collision', 'Missing person', 'Burglary']),
    needed_by: null, created_at: ago((n * 7 + 1) * H), item_count: items.length, overwrite_at: items[0]?.overwrite_at ?? null, case_id: state === 'released' ? 'cas_0' : null,
    reason: 'Two suspects on a moped took a bag outside the shop and left north. The cameras on the corner may show the number plate.', items,
    thread: n % 2 ? [] : [
      { id: 'm1', kind: 'question', item_id: items[0]?.id, author: person(1), body: 'Which of the two doors do you mean? The north door camera was moved last week.', created_at: ago(2 * H) },
      { id: 'm2', kind: 'answer', item_id: items[0]?.id, author: person(0), body: 'The one that faces the crossing.', created_at: ago(H) },
    ], version: 1, allowed_actions: ['comment', 'cancel', 'approve', 'deny'],
  }
})

export const cases = ['Robbery series, Main St', 'Missing person 26-48211', 'Hit and run, grey van'].map((name, n) => ({
  id: `cas_${n}`, number: `C-2026-${String(31 - n).padStart(3, '0')}`, name, closed_at: n === 2 ? ago(40 * H) : null, created_at: ago((n + 1) * 70 * H), level: 'manage', evidence_count: n === 0 ? 6 : 0, version: 2,
  allowed_actions: ['change', 'close', 'share', 'file_request', 'add'],
}))
const part = (start: string, from: number, to: number) => ({ from: new Date(Date.parse(start) + from * 1000).toISOString(), to: new Date(Date.parse(start) + to * 1000).toISOString() })
export const evidence = Array.from({ length: 6 }, (_, n) => {
  const from = ago((20 + n) * H)
  return {
    id: `evd_c${n}`, case_id: 'cas_0', request_id: 'req_3', item_id: 'itm_3_0', name: `${cameras[n * 3]?.device_id}_export.mp4`, size_bytes: 43_118_592 + n * 9_000_000, sha256: hash(),
    source: { id: cameras[n * 3]?.id, name: cameras[n * 3]?.name }, created_at: ago((10 + n) * H),
    media: { container: 'mov,mp4', video_codec: n === 2 ? 'hevc' : 'h264', audio_codec: null, width: 1920, height: 1080, frame_rate: 25, duration_ms: 120_000 },
    recorded: { from, to: new Date(Date.parse(from) + 120_000).toISOString(), gaps: n === 1 ? [{ ...part(from, 40, 52), reason: '20261122T210500Z.mp4 cannot be read: a part of it is damaged' }, part(from, 70, 75)] : [], clock: [{ at_ms: 0, from }], clock_offset_ms: n === 3 ? 2400 : 0 },
    manifest: { adapter: 'folder', recorder: 'Transit recorder', exported_at: from }, playable: { state: n === 4 ? 'waiting' : n === 5 ? 'failed' : 'ready', error: n === 5 ? 'The file holds no video stream.' : null, size_bytes: 11_000_000 },
    thumbnail_url: n > 3 ? null : `/api/v1/evidence/evd_c${n}/thumbnail`, play_url: n > 3 ? null : `/api/v1/evidence/evd_c${n}/play`, original_url: `/api/v1/evidence/evd_c${n}/original`, level: 'manage', ledger: { leaf_index: 4100 + n }, allowed_actions: ['download'],
  }
})

export const connectors = [
  { id: 'con_transit', name: 'Transit recorder', organization: org(1), adapter: 'zoneminder', version: '0.1.0', online: false, last_seen_at: ago(5 * H), source_count: 16, queue: { waiting: 2, running: 0 }, problem: { text: 'The connector has not been heard of for 5 hours.', what_to_do: 'See that the machine beside the recorder runs and can reach this server on port 443.' }, revoked_at: null, created_at: ago(300 * H), allowed_actions: ['revoke'] },
  { id: 'con_mall', name: 'Mall VMS', organization: org(2), adapter: 'frigate', version: '0.1.0', online: true, last_seen_at: ago(4000), source_count: 16, queue: { waiting: 0, running: 1 }, problem: null, revoked_at: null, created_at: ago(500 * H), allowed_actions: ['revoke'] },
]
export const tasks = [
  { id: 'tsk_1', kind: 'export', state: 'running', item_id: 'itm_2_0', attempts: 1, progress: { bytes_done: 18_400_000, bytes_total: 43_000_000 }, last_error: null, created_at: ago(400_000) },
  { id: 'tsk_2', kind: 'hold', state: 'done', item_id: 'itm_2_0', attempts: 1, progress: null, last_error: null, created_at: ago(900_000) },
  { id: 'tsk_3', kind: 'coverage', state: 'failed', item_id: null, attempts: 3, progress: null, last_error: 'The recorder answered 502 to /api/recordings.', created_at: ago(2 * H) },
]
export const history = ['case.create', 'evidence.arrive', 'evidence.play', 'evidence.download', 'case.access'].map((kind, n) => ({ id: `evt_${n}`, at: ago((30 - n * 5) * H), kind, actor: n === 1 ? null : person(n % 3), detail: n === 1 ? 'From the connector Transit recorder' : null }))
export const mails = ['sent', 'kept', 'dead', 'waiting'].map((state, n) => ({
  id: `eml_${n}`, to: ['lee@transit.example', 'dana@police.example', 'shop@corner.example', 'robin@police.example'][n], subject: [`Request V-2026-0120 waits for you`, 'Footage is released', 'Send video of 22 Nov', 'A recorder is offline'][n],
  state, attempts: n === 2 ? 6 : 1, last_error: n === 2 ? '550 5.1.1 The mailbox does not exist' : null, created_at: ago((n + 1) * H), sent_at: state === 'sent' ? ago(H) : null,
  text: 'Dana Reyes asks for 2 minutes of 5th Ave & Main St, north door.\n\nOpen it: http://localhost/requests/req_0', html: '<p>Dana Reyes asks for <b>2 minutes</b> of 5th Ave &amp; Main St, north door.</p><p><a href="http://localhost/requests/req_0">Open it</a></p>',
}))
export const jobs = [{ id: 'job_1', kind: 'make_playable', state: 'dead', attempts: 5, last_error: 'ffmpeg ended with 183: Invalid data found when processing input', run_at: ago(H), created_at: ago(3 * H) }]
const account = (n: number, id: string, name: string, o: number, roles: string[]) => ({
  id, email: `${name.split(' ')[0]?.toLowerCase()}@harbor.example`, user_name: name.split(' ')[0]?.toLowerCase() ?? null, name, organization: org(o), roles: roles.map((role) => ({ role, organization_id: role === 'approver' ? org(o).id : null })),
  disabled: n === 3, must_change_password: false, last_seen_at: n === 3 ? null : ago(n * H + 60_000), created_at: ago(700 * H), version: 1, allowed_actions: ['change'],
})
export const accounts = [account(0, 'acc_adm', 'Robin Marsh', 0, ['administrator', 'investigator', 'approver']), account(1, 'acc_inv', 'Dana Reyes', 0, ['investigator']), account(2, 'acc_app', 'Lee Okafor', 1, ['approver']), account(3, 'acc_old', 'Sam Birch', 2, ['operator'])]
export const roles = [['administrator', 'Administrator'], ['investigator', 'Investigator'], ['approver', 'Approver'], ['auditor', 'Auditor'], ['operator', 'Camera operator'], ['guest', 'Guest']].map(([role, name]) => ({ role, name, privileges: ['view_registry', 'submit_requests'] }))
export const me = {
  account: accounts[0],
  privileges: ['view_registry', 'manage_registry', 'submit_requests', 'approve_requests', 'view_all_requests', 'create_cases', 'manage_connectors', 'manage_accounts', 'manage_settings', 'view_audit'].map((privilege) => ({ privilege, organization_id: null })),
  installation: { name: 'Harbor City Police', time_zone: 'America/Los_Angeles', host_organization_id: 'org_police', mail_delivers: false, longest_window_seconds: 7200, has_streets: true },
}
export const link = {
  name: 'Robbery at the corner shop', description: 'We look for two people on a moped who left the shop towards the crossing.', requester: 'Dana Reyes', organization: 'Harbor City Police', source: 'Corner shop, till camera',
  from: requests[0]?.incident.from ?? null, to: requests[0]?.incident.to ?? null, time_zone: 'America/Los_Angeles', expires_at: new Date(Date.now() + 6 * 24 * H).toISOString(), finished_at: null as string | null, answer: null as string | null, part: null, comment: null, now: new Date().toISOString(), files: [] as unknown[], code: 'KESTREL-42',
}
