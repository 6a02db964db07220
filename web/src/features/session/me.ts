import { queryOptions, useQuery } from '@tanstack/react-query'
import { client, take } from '~/api/client.ts'
import { asTrouble, Trouble } from '~/api/problem.ts'
import type { Me } from '~/api/types.ts'

/** Who is signed in, or null. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: 60_000,
  queryFn: async (): Promise<Me | null> => {
    try {
      return await take(client.GET('/api/v1/me'))
    } catch (error) {
      if (error instanceof Trouble && error.status === 401) return null
      throw error
    }
  },
})

/** Set where a session ended while somebody worked, for the page where they sign in again. */
export const sessionEnded = ['session-ended']

/** The person signed in; only under the shell, where there is one. */
export function useMe(): Me {
  const { data } = useQuery(meQuery)
  if (!data) throw new Error('nobody is signed in')
  return data
}

/** The zone that times are shown in. */
export function useZone(): string {
  const { data } = useQuery({ ...meQuery, enabled: false })
  return data?.installation.time_zone ?? Intl.DateTimeFormat().resolvedOptions().timeZone
}

export const may = (me: Me, privilege: string) => me.privileges.some((held) => held.privilege === privilege)

/** Whether somebody reads the ledger: it holds what all organizations did, so a role in one of them is not enough. */
export const mayAudit = (me: Me) => me.privileges.some((held) => held.privilege === 'view_audit' && !held.organization_id)

/** Whether somebody enters organizations: a role in one of them is not enough. */
export const mayEnterOrganizations = (me: Me) => me.privileges.some((held) => held.privilege === 'manage_accounts' && !held.organization_id)

export function signIn(email: string, password: string): Promise<Me> {
  return take(client.POST('/api/v1/session', { body: { email, password } }))
}

/** All tabs of a browser share one session, so it ends in all of them. */
const tabs = 'BroadcastChannel' in window ? new BroadcastChannel('sightline-session') : null
export const onSignedOutElsewhere = (act: () => void) => tabs?.addEventListener('message', act)

export async function signOut() {
  try {
    await take(client.DELETE('/api/v1/session'))
  } catch (error) {
    // A session that has ended already is one that was left.
    if (asTrouble(error).status !== 401) throw error
  }
  tabs?.postMessage('signed out')
}
export const changePassword = (current: string, fresh: string) =>
  take(client.POST('/api/v1/me/password', { body: { current, new: fresh } }))
