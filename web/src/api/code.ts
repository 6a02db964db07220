import { Trouble } from './problem.ts'

// A style sheet that did not arrive is never asked for again by what loads it, and its page would stand there without.
const missing = new Set<HTMLLinkElement>()
addEventListener('error', ({ target }) => { if (target instanceof HTMLLinkElement && target.rel === 'stylesheet') missing.add(target) }, true)

const missingStyles = () => Promise.all([...missing].map((link) => new Promise((done, fail) => {
  missing.delete(link)
  const again = link.cloneNode() as HTMLLinkElement
  again.onload = done
  again.onerror = () => fail(new Error(`${link.href} did not arrive`))
  link.replaceWith(again)
})))

/** Nobody answers, or a proxy does in the server's place. */
const away = () => fetch('/icon.svg', { method: 'HEAD', cache: 'no-store' }).then((answer) => !answer.ok, () => true)

/**
 * Loads code of the page. What cannot be had because the server is away is the same trouble as with any other call; a server that
 * answers has a newer page, and the error is left as it is: who loads the page anew gets that one.
 */
export const code = <T>(load: () => Promise<T>) => (): Promise<T> =>
  missingStyles().then(load).catch(async (error: unknown) => { throw (await away()) ? Trouble.unreachable() : error })
