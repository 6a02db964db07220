import '@mantine/core/styles.css'
import './ui/base.css'
import './ui/ui.css'
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { Trouble } from './api/problem.ts'
import { meQuery, onSignedOutElsewhere } from './features/session/me.ts'
import { makeRouter } from './router.tsx'
import { theme, variables } from './ui/theme.ts'
import { sendAll } from './ui/Toasts.tsx'

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
queries.getQueryCache().subscribe((event) => {
  // A session that ended elsewhere: back to the door, and afterwards to where one was.
  if (event.type === 'updated' && event.action.type === 'error' && event.action.error instanceof Trouble && event.action.error.status === 401) {
    queries.setQueryData(['me'], null)
    void router.invalidate()
  }
})

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
