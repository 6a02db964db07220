import { useEffect, useRef } from 'react'

/** A form is longer than the screen: what is wrong is brought into sight, the field itself where there is one. */
export function useTroubleInSight(error: unknown) {
  const form = useRef<HTMLFormElement>(null)
  useEffect(() => {
    const wrong = error ? form.current?.querySelector<HTMLElement>('[aria-invalid=true], [role=alert]') : null
    wrong?.focus({ preventScroll: true })
    wrong?.scrollIntoView({ block: 'center' })
  }, [error])
  return form
}
