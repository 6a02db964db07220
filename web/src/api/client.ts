import createClient from 'openapi-fetch'
import { Trouble } from './problem.ts'

// Loose until openapi.json is there; then createClient<paths>() checks every path, parameter and body.
type Answer = Promise<{ data?: unknown; error?: unknown; response: Response }>
type Call = (path: string, init?: any) => Answer
interface Loose { GET: Call; POST: Call; PUT: Call; PATCH: Call; DELETE: Call }

export const client = createClient({
  baseUrl: '',
  credentials: 'same-origin',
  headers: { Accept: 'application/json, application/problem+json' },
}) as unknown as Loose

/** The answer of a call, or the Trouble that it met. */
export async function take<T>(pending: Promise<{ data?: unknown; error?: unknown; response: Response }>): Promise<T> {
  let answer: Awaited<typeof pending>
  try {
    answer = await pending
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw Trouble.unreachable()
  }
  if (!answer.response.ok) throw Trouble.from(answer.response, answer.error)
  return answer.data as T
}

/** The header that says which version a change was made on. */
export const ifMatch = (version: number) => ({ 'If-Match': `"${version}"` })

/** Query parameters without the empty ones. */
export function present<T extends object>(query: T): Partial<T> {
  return Object.fromEntries(Object.entries(query).filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== false)) as Partial<T>
}
