import type { Problem } from './types.ts'

/** The wire's titles are HTTP's own phrases; people read these. */
const TITLES: Record<number, string> = {
  401: 'You are signed out', 403: 'This is not yours to do', 404: 'There is no such thing here', 409: 'This cannot be done as it stands', 410: 'This is gone',
  412: 'Somebody changed it meanwhile', 413: 'This is too large', 422: 'Something is not right yet', 429: 'Too many tries',
}

/** What a problem is called. */
export const titleOf = (problem: Partial<Problem>, status: number) =>
  (problem.code === 'wrong_state' ? 'This no longer fits' : TITLES[status]) ?? (status >= 500 ? 'The server failed' : problem.title) ?? 'That did not work'

/** A refused or failed call, in the server's own words where it gave some. */
export class Trouble extends Error {
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly requestId: string | null
  readonly fields: { pointer: string; message: string }[]
  readonly retryAfter: number | null
  /** The call would have changed something. */
  readonly changes: boolean
  /** Sent again, it is made once all the same. */
  private isOnce = false

  constructor(problem: Partial<Problem>, status: number, retryAfter: number | null = null, changes = false) {
    super(titleOf(problem, status))
    this.status = status
    this.code = problem.code ?? 'unknown'
    // The wire's words for this are for programs; a person was signed in before.
    this.detail = this.code === 'unauthenticated' ? 'Your session ended.' : (problem.detail ?? '')
    this.requestId = problem.request_id ?? null
    this.fields = problem.errors ?? []
    this.retryAfter = retryAfter
    this.changes = changes
  }

  static from(response: Response, body: unknown): Trouble {
    const after = Number(response.headers.get('Retry-After'))
    const problem = typeof body === 'object' && body !== null ? (body as Partial<Problem>) : { title: `The server answered ${response.status}` }
    return new Trouble(problem, response.status, Number.isFinite(after) && after > 0 ? after : null)
  }

  /** No answer came back; whether a call that `changes` something arrived is not known. */
  static unreachable(changes = false): Trouble {
    return new Trouble({ title: 'The server cannot be reached', code: 'unreachable', detail: 'No answer came back.' }, 0, null, changes)
  }

  /** Of a call that can be sent again and does nothing twice. */
  once(): this {
    this.isOnce = true
    return this
  }

  /** The message for one field, by its JSON pointer. */
  field(pointer: string): string | undefined {
    return this.fields.find((error) => error.pointer === pointer)?.message
  }

  /** What stays as it was, and what to do next. */
  get advice(): string {
    if (this.status === 0) {
      if (!this.changes) return 'Check the connection, then try again.'
      return this.isOnce ? 'It may have arrived all the same. Check the connection, then send it again: it is made only once.'
        : 'It may have arrived all the same. Check the connection, look at what is there now, then try again.'
    }
    if (this.status === -1) return 'Nothing was changed as far as we know. Load the page anew; if it stays, tell your administrator.'
    if (this.status === 401) return 'Sign in to go on.'
    if (this.status === 403) return 'Nothing was changed. Ask an administrator if you need this.'
    if (this.status === 404) return 'It may have been removed, or it is not shared with you.'
    if (this.code === 'already_made') return 'It had arrived, and is in the list. Remove it there, then send it again to make another.'
    if (this.code === 'idempotency_key_in_use') return 'Send it again in a moment: it is made only once.'
    if (this.status === 412 || this.code === 'wrong_state') return 'Nothing was changed. Someone was faster: look at the current state, then decide again.'
    if (this.status === 409) return this.detail.includes('Nothing was changed') ? '' : 'Nothing was changed.'
    if (this.status === 429) return `Nothing was changed. Try again in ${this.retryAfter ?? 60} seconds.`
    if (this.status >= 500) return `Nothing was changed as far as we know. ${this.isOnce ? 'Send it again, it is made only once' : 'Try again'}; if it stays, tell your administrator the number below.`
    return 'Nothing was changed. Correct what is marked, then send it again.'
  }
}

export function asTrouble(error: unknown): Trouble {
  if (error instanceof Trouble) return error
  return new Trouble({ title: 'This page made a mistake', detail: error instanceof Error ? error.message : String(error), code: 'page' }, -1)
}
