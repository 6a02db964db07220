import type { IncomingMessage, ServerResponse } from 'node:http'
import * as city from './city.ts'

// Answers /api/v1 in development without a server. Not part of the build.
type Body = Record<string, unknown>
type Answer = { status?: number; body?: unknown; raw?: string; type?: string }
const list = (items: unknown[]): Answer => ({ body: { items, next_cursor: null, total: items.length } })
const problem = (status: number, code: string, title: string, detail: string, errors?: unknown): Answer =>
  ({ status, type: 'application/problem+json', body: { type: 'about:blank', title, status, detail, code, request_id: 'r-17', errors } })
let signedIn = true
const byId = <T extends { id?: unknown }>(items: T[], id: string | undefined) => items.find((i) => i.id === id)
const one = (found: unknown): Answer => (found ? { body: found } : problem(404, 'not_found', 'There is no such thing', 'Nothing here has this id.'))

function picture(text: string): Answer {
  const n = [...text].reduce((s, c) => s + c.charCodeAt(0) * 7, 0)
  const hue = 190 + (n % 60)
  const raw = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 180"><rect width="320" height="180" fill="hsl(${hue} 14% 30%)"/><path d="M0 ${100 + (n % 30)} L320 ${80 + (n % 40)} V180 H0z" fill="hsl(${hue} 8% 42%)"/><path d="M${60 + (n % 80)} 180 L150 92 L170 92 L${230 + (n % 60)} 180z" fill="hsl(${hue} 6% 52%)"/><rect x="${n % 200}" y="40" width="70" height="70" fill="hsl(${hue} 12% 24%)"/><text x="8" y="172" font-family="monospace" font-size="11" fill="#fff">2026-11-22 21:05:1${n % 10}</text></svg>`
  return { raw, type: 'image/svg+xml' }
}

function sources(q: URLSearchParams): Answer {
  let items: (typeof city.cameras[0] & { distance_m?: number })[] = city.cameras
  const text = q.get('q')?.toLowerCase()
  if (text) items = items.filter((c) => `${c.name} ${c.address} ${c.tags}`.toLowerCase().includes(text))
  if (q.get('organization_id')) items = items.filter((c) => c.organization.id === q.get('organization_id'))
  if (q.get('status')) items = items.filter((c) => c.status === q.get('status'))
  if (q.get('tag')) items = items.filter((c) => c.tags.includes(q.get('tag') ?? ''))
  const box = q.get('bbox')?.split(',').map(Number)
  if (box) items = items.filter((c) => c.position.lon >= (box[0] ?? 0) && c.position.lat >= (box[1] ?? 0) && c.position.lon <= (box[2] ?? 0) && c.position.lat <= (box[3] ?? 0))
  const near = q.get('near')?.split(',').map(Number)
  if (near) {
    const d = (c: (typeof items)[0]) => Math.hypot((c.position.lat - (near[0] ?? 0)) * 111_000, (c.position.lon - (near[1] ?? 0)) * 75_000)
    items = items.map((c) => ({ ...c, distance_m: d(c) })).filter((c) => c.distance_m <= Number(q.get('radius_m'))).sort((a, b) => a.distance_m - b.distance_m)
  }
  return list(items)
}

function route(method: string, path: string, q: URLSearchParams, body: Body): Answer {
  const [, noun = '', id, sub, more] = path.split('/')
  if (noun === 'session') {
    if (method === 'DELETE') { signedIn = false; return { status: 204 } }
    if (body.password === 'wrong') return problem(401, 'wrong_credentials', 'Wrong name or password', 'No account has this name and password.')
    signedIn = true
    return { body: city.me }
  }
  if (noun === 'links') {
    if (id === 'expired') return problem(410, 'link_expired', 'The link has expired', '')
    if (id === 'unknown') return problem(404, 'link_unknown', 'There is no such link', '')
    if (sub === 'answer') city.link.answer = String(body.answer)
    if (sub === 'finish') { city.link.finished_at = new Date().toISOString(); return { body: { files: city.link.files, received_at: city.link.finished_at } } }
    return { body: city.link }
  }
  if (!signedIn) return problem(401, 'not_signed_in', 'You are not signed in', '')
  if (noun === 'me') return { body: city.me }
  if (noun === 'sources') return sources(q)
  if (noun === 'places') return { body: { items: city.placeList.filter((p) => (q.get('q') ?? '').toLowerCase().replaceAll(/[^a-z0-9]+/g, ' ').trim().split(' ').every((w) => p.name.toLowerCase().includes(w))).slice(0, 8) } }
  if (noun === 'map') return { body: city.streets }
  if (noun === 'cameras') {
    if (sub === 'thumbnail') return picture(id ?? '')
    if (sub === 'coverage') {
      const from = Date.parse(q.get('from') ?? ''), to = Date.parse(q.get('to') ?? ''), third = (to - from) / 3
      return { body: { spans: [{ from: new Date(from).toISOString(), to: new Date(from + third * 1.4).toISOString() }, { from: new Date(from + third * 1.6).toISOString(), to: new Date(to).toISOString() }], asked_at: new Date().toISOString(), complete: true } }
    }
    if (method === 'POST' && !body.name) return problem(422, 'invalid', 'The camera is not complete', 'A field is missing.', [{ pointer: '/name', message: 'Give the camera a name.' }])
    return one(byId(city.cameras, id) ?? city.cameras[0])
  }
  if (noun === 'organizations') return id ? one(byId(city.organizations, id)) : list(city.organizations)
  if (noun === 'accounts') return method === 'POST' ? { status: 201, body: { account: city.accounts[1], one_time_password: 'otter-brick-lantern-42' } } : id ? one(byId(city.accounts, id)) : list(city.accounts)
  if (noun === 'roles') return list(city.roles)
  if (noun === 'groups') return list([{ id: 'grp_1', name: 'Robbery squad', organization_id: 'org_police', account_ids: ['acc_adm', 'acc_inv'], created_at: new Date().toISOString(), version: 1, allowed_actions: ['change', 'remove'] }])
  if (noun === 'tokens') return method === 'POST' ? { status: 201, body: { secret: 'slt_9f3a7c0be1…', token: { id: 'tok_2', name: body.name, scopes: [], created_at: new Date().toISOString(), last_used_at: null, expires_at: null, revoked_at: null } } } : list([{ id: 'tok_1', name: 'Nightly export', scopes: ['view_all_requests'], created_at: new Date().toISOString(), last_used_at: null, expires_at: null, revoked_at: null }])
  if (noun === 'video-requests') {
    if (method === 'POST') return { status: 201, body: city.requests[0] }
    if (id) return one(byId(city.requests, id))
    let items = city.requests
    if (q.get('reviewable')) items = items.filter((r) => r.items.some((i) => i.allowed_actions.includes('approve')))
    if (q.get('status')) items = items.filter((r) => q.get('status')?.split(',').includes(r.status))
    if (q.get('q')) items = items.filter((r) => `${r.number} ${r.name}`.toLowerCase().includes((q.get('q') ?? '').toLowerCase()))
    return list(items)
  }
  if (noun === 'request-items') {
    if (sub === 'file-request') return { status: 201, body: { id: 'frq_1', url: '/f/demo', qr_svg: '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h3v3H0zM6 0h3v3H6zM0 6h3v3H0zM4 4h1v1H4zM6 6h1v1H6zM8 8h1v1H8z"/></svg>', expires_at: city.link.expires_at } }
    const found = city.requests.find((r) => r.items.some((i) => i.id === id))
    const item = found?.items.find((i) => i.id === id)
    if (item) { item.state = sub === 'approve' ? 'approved' : sub === 'deny' ? 'denied' : item.state; item.allowed_actions = []; item.waiting_for = sub === 'approve' ? 'connector' : null }
    return one(found)
  }
  if (noun === 'cases') {
    if (sub === 'evidence') return list(id === 'cas_0' ? city.evidence : [])
    if (sub === 'history') return list(city.history)
    if (sub === 'access') return { body: { entries: city.accounts.slice(0, 3).map((a, n) => ({ principal_id: a.id, name: a.name, level: ['manage', 'download', 'view'][n], expires_at: null })) } }
    return id ? one(byId(city.cases, id)) : list(city.cases)
  }
  if (noun === 'evidence') return sub === 'thumbnail' ? picture(id ?? '') : sub === 'history' ? list(city.history) : one(byId(city.evidence, id))
  if (noun === 'connectors') {
    if (method === 'POST') return { status: 201, body: { connector: city.connectors[1], connection_file: '[connection]\nserver = "https://sightline.example"\nkey = "slc_…"\n' } }
    return sub === 'tasks' ? list(city.tasks) : id ? one(byId(city.connectors, id)) : list(city.connectors)
  }
  if (noun === 'mails') return id && more === undefined && sub === undefined ? { body: { head: byId(city.mails, id), text: byId(city.mails, id)?.text, html: byId(city.mails, id)?.html } } : list(city.mails)
  if (noun === 'jobs') return list(city.jobs)
  return problem(404, 'not_found', 'There is no such thing', path)
}

export function answer(req: IncomingMessage, res: ServerResponse, next: () => void) {
  const url = new URL(req.url ?? '/', 'http://x')
  if (!url.pathname.startsWith('/api/v1')) return next()
  const path = url.pathname.slice('/api/v1'.length)
  if (path === '/events') {
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    res.write(': here\n\n')
    return
  }
  const chunks: Buffer[] = []
  req.on('data', (c: Buffer) => chunks.push(c))
  req.on('end', () => {
    let body: Body = {}
    try { body = JSON.parse(Buffer.concat(chunks).toString() || '{}') as Body } catch { /* not JSON */ }
    const a = route(req.method ?? 'GET', path, url.searchParams, body)
    res.writeHead(a.status ?? 200, { 'Content-Type': a.type ?? 'application/json' })
    res.end(a.raw ?? (a.status === 204 ? '' : JSON.stringify(a.body)))
  })
}
