import { useState } from 'react'
import { asTrouble } from './problem.ts'

/** What was made; `earlier` where it is what an earlier try asked for, and not what the form says now. */
export interface Outcome<Made> { made: Made; earlier: boolean }

/** Not `crypto.randomUUID`: browsers have that only where a page came by HTTPS or from the same computer. */
function freshKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}

/**
 * Sends what makes something new so that it is made once, also when an answer is lost on its way. One key goes with every try. Where the
 * form was changed after a lost answer, the server takes the new words if nothing had arrived. If something had, it refuses them
 * under the same key, and what was sent first is sent again: it answers what that made.
 */
export function sendOnce<Body, Made>(post: (body: Body, key: string) => Promise<Made>, newKey: () => string = freshKey) {
  let key = newKey()
  let lost: Body[] = []

  const under = (body: Body) => post(body, key).catch((error: unknown) => {
    const trouble = asTrouble(error)
    // Whether it arrived is not known: nobody answered, or a proxy did in the server's place.
    if ((trouble.status === 0 || trouble.status >= 500) && !lost.includes(body)) lost.push(body)
    // It is there, and its secret cannot be told again: the next try makes another.
    if (trouble.code === 'already_made') renew()
    throw trouble.once()
  })
  function renew() {
    key = newKey()
    lost = []
  }
  /** Of what was sent and not answered, what the key stands for. */
  async function earlier(refused: unknown): Promise<Made> {
    for (const body of lost) {
      try {
        return await under(body)
      } catch (error) {
        if (asTrouble(error).code !== 'idempotency_key_reused') throw error
      }
    }
    throw refused
  }
  return async (body: Body): Promise<Outcome<Made>> => {
    const same = lost.find((sent) => JSON.stringify(sent) === JSON.stringify(body))
    let isEarlier = false
    const made = await under(same ?? body).catch((error: unknown) => {
      if (asTrouble(error).code !== 'idempotency_key_reused') throw error
      isEarlier = true
      return earlier(error)
    })
    renew()
    return { made, earlier: isEarlier }
  }
}

/** By the name of what is written: a form that was closed after a lost answer, and opened again, goes on under the same key. */
const begun = new Map<string, unknown>()

/** `sendOnce` for as long as what has this name was not accepted. */
export function sendOnceAs<Body, Made>(name: string, post: (body: Body, key: string) => Promise<Made>, newKey?: () => string) {
  const send = (begun.get(name) as ReturnType<typeof sendOnce<Body, Made>> | undefined) ?? sendOnce(post, newKey)
  begun.set(name, send)
  return async (body: Body): Promise<Outcome<Made>> => {
    const outcome = await send(body)
    begun.delete(name)
    return outcome
  }
}

/** `sendOnce` for as long as a form stands. */
export function useOnce<Body, Made>(post: (body: Body, key: string) => Promise<Made>) {
  const [send] = useState(() => sendOnce(post))
  return send
}
