import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { setByOthers } from '~/lib/others.ts'
import { tellTrouble } from './Toasts.tsx'

/**
 * What a form is of, as it was when the form was opened or last saved. What others change meanwhile reaches the page live, and must not
 * pass for seen in the form: its save would overwrite it. `theirs` is what they changed of what was touched here, once that was loaded.
 */
export function useOpened<T extends object>(known: T | undefined, ask: (of: T) => Promise<T>, words?: (value: unknown) => string) {
  const [opened, setOpened] = useState(known)
  const [theirs, setTheirs] = useState<Record<string, string>>({})
  const load = useMutation({
    mutationFn: async ({ of, touched }: { of: T; touched: object }) => {
      const fresh = await ask(of)
      setTheirs(setByOthers(of, fresh, touched, words))
      setOpened(fresh)
      return fresh
    },
    onError: tellTrouble,
  })
  const keep = (saved: T) => { setOpened(saved); setTheirs({}) }
  return { opened, keep, theirs, load }
}
