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

client.use({ onResponse: ({ response }) => hear(response) })

/** What a call answers when it went well. */
type Data<Answer> = Answer extends { data: infer D } ? D : never

/** The answer of a call, or the Trouble that it met. */
export async function take<A extends { data?: unknown; error?: unknown; response: Response }>(pending: Promise<A>): Promise<Data<A>> {
  let answer: A
  try {
    answer = await pending
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw Trouble.unreachable()
  }
  if (!answer.response.ok) throw Trouble.from(answer.response, answer.error)
  return answer.data as Data<A>
}

/** The header that says which version a change was made on. */
export const ifMatch = (version: number) => ({ 'If-Match': `"${version}"` })

/** Query parameters without the empty ones. */
export function present<T extends object>(query: T): Partial<T> {
  return Object.fromEntries(Object.entries(query).filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== false)) as Partial<T>
}
