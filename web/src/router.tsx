import type { QueryClient } from '@tanstack/react-query'
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Outlet, redirect } from '@tanstack/react-router'
import { code } from './api/code.ts'
import type { Me } from './api/types.ts'
import { meQuery } from './features/session/me.ts'
import { NewPassword } from './features/session/NewPassword.tsx'
import { SignIn } from './features/session/SignIn.tsx'
import { doorsFor } from './layout/doors.ts'
import { Shell } from './layout/Shell.tsx'
import { NotFound, Wreck } from './layout/Wreck.tsx'
import { RowsToCome } from './ui/Notes.tsx'
import { Toasts } from './ui/Toasts.tsx'

type Search = Record<string, unknown>
const text = (search: Search, ...names: string[]) =>
  Object.fromEntries(names.flatMap((n) => (search[n] === undefined || search[n] === null || search[n] === '' ? [] : [[n, String(search[n])]]))) as Record<string, string | undefined>

const root = createRootRouteWithContext<{ queries: QueryClient }>()({ component: () => <><Outlet /><Toasts /></>, notFoundComponent: NotFound })

const signIn = createRoute({
  getParentRoute: () => root, path: '/sign-in', component: SignIn,
  validateSearch: (s: Search): { to?: string } => (typeof s.to === 'string' ? { to: s.to } : {}),
})
const password = createRoute({ getParentRoute: () => root, path: '/password', component: NewPassword, beforeLoad: ({ context, location }) => signedIn(context.queries, location.href) })

async function signedIn(queries: QueryClient, href: string): Promise<Me> {
  const me = await queries.ensureQueryData(meQuery)
  if (!me) throw redirect({ to: '/sign-in', search: href === '/' ? {} : { to: href } })
  return me
}

const shell = createRoute({
  getParentRoute: () => root, id: 'shell', component: Shell,
  beforeLoad: async ({ context, location }) => {
    const me = await signedIn(context.queries, location.href)
    if (me.account.must_change_password) throw redirect({ to: '/password' })
  },
})
/** Home is where one's own work is: the first of the doors that is open, the inbox for those who decide. */
const home = createRoute({
  getParentRoute: () => shell, path: '/',
  beforeLoad: ({ context }) => {
    const me = context.queries.getQueryData(meQuery.queryKey)
    const approver = me?.account.roles.some((r) => r.role === 'approver') && !me.account.roles.some((r) => r.role === 'administrator' || r.role === 'investigator')
    throw redirect({ to: approver ? '/review' : ((me && doorsFor(me)[0]?.to) ?? '/cases') })
  },
})

const page = <P extends string>(path: P, component: () => Promise<Record<string, unknown>>, name: string, keys: string[] = []) =>
  createRoute({
    getParentRoute: () => shell, path,
    component: lazyRouteComponent(code(component) as never, name),
    validateSearch: (s: Search) => text(s, ...keys),
  })

const tree = root.addChildren([
  signIn,
  password,
  shell.addChildren([
    home,
    page('/registry', () => import('./features/sources/Registry.tsx'), 'Registry', ['q', 'org', 'status', 'tag', 'bbox', 'near', 'r', 'chosen', 'camera', 'sheet', 'view', 'follow', 'place']),
    page('/requests', () => import('./features/video-requests/Requests.tsx'), 'Requests', ['tab', 'status', 'q', 'sort', 'source', 'case']),
    page('/requests/$id', () => import('./features/video-requests/RequestPage.tsx'), 'RequestPage'),
    page('/review', () => import('./features/review/Review.tsx'), 'Review', ['q']),
    page('/cases', () => import('./features/cases/Cases.tsx'), 'Cases', ['q']),
    page('/cases/$id', () => import('./features/cases/CasePage.tsx'), 'CasePage', ['file', 'tab']),
    page('/connectors', () => import('./features/connectors/Connectors.tsx'), 'Connectors'),
    page('/connectors/$id', () => import('./features/connectors/ConnectorPage.tsx'), 'ConnectorPage'),
    page('/mail', () => import('./features/mails/Mails.tsx'), 'Mails', ['state', 'q', 'id']),
    page('/jobs', () => import('./features/jobs/Jobs.tsx'), 'Jobs'),
    page('/accounts', () => import('./features/accounts/Accounts.tsx'), 'Accounts', ['q', 'org', 'id']),
    page('/organizations', () => import('./features/organizations/Organizations.tsx'), 'Organizations'),
    page('/groups', () => import('./features/groups/Groups.tsx'), 'Groups'),
    page('/tokens', () => import('./features/tokens/Tokens.tsx'), 'Tokens'),
    page('/settings', () => import('./features/settings/Settings.tsx'), 'Settings'),
  ]),
])

export const makeRouter = (queries: QueryClient) => createRouter({
  routeTree: tree,
  context: { queries },
  defaultPreload: 'intent',
  scrollRestoration: true,
  defaultErrorComponent: Wreck,
  defaultPendingComponent: () => <div className="page"><RowsToCome /></div>,
  // Plain words in the address bar: every value is text.
  parseSearch: (search) => Object.fromEntries(new URLSearchParams(search)),
  stringifySearch: (search) => {
    const out = new URLSearchParams()
    for (const [key, value] of Object.entries(search)) if (value !== undefined && value !== null && value !== '') out.set(key, String(value))
    const written = out.toString().replaceAll('%2C', ',').replaceAll('%2F', '/')
    return written ? `?${written}` : ''
  },
})

declare module '@tanstack/react-router' {
  interface Register { router: ReturnType<typeof makeRouter> }
}
