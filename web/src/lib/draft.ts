import { type SetStateAction, useCallback, useState } from 'react'

/** What somebody has begun to write, for as long as this tab is open: a form that was closed, or left by a session that ended, has it again. Never for passwords. */
const PREFIX = 'sightline-draft '

function read<T>(key: string): T | undefined {
  try {
    const text = sessionStorage.getItem(key)
    return text === null ? undefined : (JSON.parse(text) as T)
  } catch {
    return undefined
  }
}

function write(key: string, value: unknown) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value))
  } catch { /* a browser that keeps nothing: then the form is what it was without */ }
}

/** Like `useState`, but kept under a name from the first change on, until it is forgotten. `found` says that it was there before. */
export function useDraft<T>(name: string, start: () => T) {
  const key = PREFIX + name
  const [found, setFound] = useState(() => read<T>(key) !== undefined)
  const [value, setValue] = useState<T>(() => read<T>(key) ?? start())
  const change = useCallback((next: SetStateAction<T>) => setValue((now) => {
    const then = typeof next === 'function' ? (next as (now: T) => T)(now) : next
    write(key, then)
    return then
  }), [key])
  /** What was sent, or is to begin anew. */
  function forget(anew: T) {
    try { sessionStorage.removeItem(key) } catch { /* nothing was kept */ }
    setFound(false)
    setValue(anew)
  }
  return { value, change, forget, found }
}

/** What one person began is not for the next one at this browser. */
export function forgetDrafts() {
  try {
    for (const key of Object.keys(sessionStorage)) if (key.startsWith(PREFIX)) sessionStorage.removeItem(key)
  } catch { /* nothing was kept */ }
}
