import '@mantine/core/styles.css'
import './ui/base.css'
import './ui/ui.css'
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { notifyManager, QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Trouble } from './api/problem.ts'
import { inTurn } from './api/turns.ts'
import { meQuery, onSignedOutElsewhere, sessionEnded } from './features/session/me.ts'
import { makeRouter } from './router.tsx'
import { theme, variables } from './ui/theme.ts'
import { sendAll } from './ui/Toasts.tsx'

notifyManager.setScheduler(inTurn)
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => failures < 2 && !(error instanceof Trouble && error.status >= 400 && error.status < 500),
    },
  },
})
const router = makeRouter(queries)
onSignedOutElsewhere(() => {
  // What is held back fails and says so; it must not wait until somebody else has signed in.
  void sendAll()
  queries.clear()
  queries.setQueryData(meQuery.queryKey, null)
  void router.invalidate()
})
/** A session that ended: back to the door, which says so, and afterwards to where one was. */
function hear(event: { type: string; action?: { type: string; error?: unknown } }) {
  if (event.type !== 'updated' || event.action?.type !== 'error') return
  const { error } = event.action
  if (!(error instanceof Trouble) || error.code !== 'unauthenticated') return
  queries.setQueryData(sessionEnded, true)
  queries.setQueryData(meQuery.queryKey, null)
  void router.invalidate()
}
queries.getQueryCache().subscribe(hear)
queries.getMutationCache().subscribe(hear)

const root = document.getElementById('root')
if (root) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} cssVariablesResolver={variables} defaultColorScheme="auto" colorSchemeManager={localStorageColorSchemeManager({ key: 'sightline-scheme' })}>
        <QueryClientProvider client={queries}>
          <RouterProvider router={router} />
        </QueryClientProvider>
      </MantineProvider>
    </StrictMode>,
  )
}
