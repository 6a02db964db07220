import { titleOf } from '~/api/problem.ts'
import type { LinkAnswer, LinkView, Problem, Receipt } from '~/api/types.ts'
import { aheadOf } from '~/lib/skew.ts'

/** By how much this phone's clock is ahead of the server's, as of the last answer. */
let ahead = 0
export const serverTime = () => new Date(Date.now() - ahead)

/** The three calls that the holder of a link makes; no more of the API is loaded here. */
export class LinkTrouble extends Error {
  readonly code: string
  readonly detail: string
  readonly fields: { pointer: string; message: string }[]
  constructor(problem: Partial<Problem>, status: number) {
    super(titleOf(problem, status))
    this.code = problem.code ?? (status === 0 ? 'unreachable' : String(status))
    this.detail = problem.detail ?? ''
    this.fields = problem.errors ?? []
  }
}

async function call<T>(path: string, body?: unknown): Promise<T> {
  let response: Response
  try {
    response = await fetch(`/api/v1/links/${path}`, {
      method: body === undefined ? 'GET' : 'POST', credentials: 'omit', referrerPolicy: 'no-referrer', cache: 'no-store',
      headers: { Accept: 'application/json, application/problem+json', ...(body === undefined ? {} : { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  } catch {
    throw new LinkTrouble({ title: 'There is no connection', detail: 'Nothing is lost. Try again when the phone is online.' }, 0)
  }
  const answer: unknown = await response.json().catch(() => ({}))
  if (!response.ok) throw new LinkTrouble(answer as Partial<Problem>, response.status)
  return answer as T
}

/** An answer that says what time it is; the phone is told apart from that. */
async function timed(asking: () => Promise<LinkView>): Promise<LinkView> {
  const asked = Date.now()
  const link = await asking()
  ahead = aheadOf(link.now, asked, Date.now())
  return link
}

export const view = (token: string) => timed(() => call<LinkView>(encodeURIComponent(token)))
export const reply = (token: string, answer: LinkAnswer) => timed(() => call<LinkView>(`${encodeURIComponent(token)}/answer`, answer))
export const finish = (token: string) => call<Receipt>(`${encodeURIComponent(token)}/finish`, {})
