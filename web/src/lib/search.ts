import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

export type Address = Record<string, string | undefined>

/** The query part of the address, and the way to change some of it. An empty value takes a key away. */
export function useAddress(): [Address, (patch: Address, replace?: boolean) => void] {
  const search = useSearch({ strict: false }) as Address
  const navigate = useNavigate()
  const set = useCallback(
    (patch: Address, replace = true) => {
      void navigate({
        to: '.', replace, resetScroll: false,
        search: ((now: Address) => Object.fromEntries(Object.entries({ ...now, ...patch }).filter(([, v]) => v !== undefined && v !== ''))) as never,
      })
    },
    [navigate],
  )
  return [search, set]
}
