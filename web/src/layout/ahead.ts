import { useQueryClient } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { mapCode } from '~/map/LazyMap.tsx'

/** Safari knows no idle time. */
const whenIdle = (run: () => void) => ('requestIdleCallback' in window ? requestIdleCallback(run) : setTimeout(run, 1000))

/** Loads the code of all pages while there is nothing to do: a server that goes away later, or is replaced, takes none with it. */
export function useCodeAhead() {
  const router = useRouter()
  const queries = useQueryClient()
  useEffect(() => {
    whenIdle(async () => {
      // One after the other. What cannot be had now is asked for again when somebody goes there.
      for (const route of Object.values(router.routesById)) await router.loadRouteChunk(route)
      await queries.prefetchQuery(mapCode)
    })
  }, [router, queries])
}
