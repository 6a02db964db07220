import createClient from 'openapi-fetch'
import { hear } from '~/lib/skew.ts'
import { Trouble } from './problem.ts'
import type { paths } from './schema.gen.ts'

/** Paths, parameters, bodies and answers are those of the server's API document. */
export const client = createClient<paths, 'application/json' | 'application/problem+json' | 'image/jpeg'>({
  baseUrl: '',
  credentials: 'same-origin',
  headers: { Accept: 'application/json, application/problem+json' },
})

client.use({
  onResponse: ({ response }) => hear(response),
  onError: ({ request, error }) => (isStopped(error) ? undefined : Trouble.unreachable(request.method !== 'GET')),
})

const isStopped = (error: unknown) => error instanceof DOMException && error.name === 'AbortError'

/** What a call answers when it went well. */
type Data<Answer> = Answer extends { data: infer D } ? D : never

/** The answer of a call, or the Trouble that it met. */
export async function take<A extends { data?: unknown; error?: unknown; response: Response }>(pending: Promise<A>): Promise<Data<A>> {
  let answer: A
  try {
    answer = await pending
  } catch (error) {
    if (error instanceof Trouble || isStopped(error)) throw error
    // An answer that broke off: it was on its way, so the call had arrived.
    throw Trouble.unreachable(true)
  }
  if (!answer.response.ok) throw Trouble.from(answer.response, answer.error)
  return answer.data as Data<A>
}

/** The header that makes sending something new again harmless. */
export const once = (key: string) => ({ 'Idempotency-Key': key })

/** The header that says which version a change was made on. */
export const ifMatch = (version: number) => ({ 'If-Match': `"${version}"` })

/** Query parameters without the empty ones. */
export function present<T extends object>(query: T): Partial<T> {
  return Object.fromEntries(Object.entries(query).filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== false)) as Partial<T>
}
