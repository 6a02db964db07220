import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { client, ifMatch, present, take } from '~/api/client.ts'
import type { Account, Group, Id, List, NewAccount, Ref, Role, RoleHeld } from '~/api/types.ts'

export const accountList = (filter: { q?: string; organization_id?: Id }) => infiniteQueryOptions({
  queryKey: ['accounts', 'list', filter],
  initialPageParam: '',
  queryFn: ({ pageParam }) => take<List<Account>>(client.GET('/api/v1/accounts', { params: { query: present({ ...filter, cursor: pageParam, limit: 50 }) } })),
  getNextPageParam: (last) => last.next_cursor,
  placeholderData: keepPreviousData,
})
export const oneAccount = (id: Id) => queryOptions({
  queryKey: ['accounts', 'one', id],
  queryFn: () => take<Account>(client.GET('/api/v1/accounts/{id}', { params: { path: { id } } })),
})
export const roleList = queryOptions({
  queryKey: ['roles'],
  staleTime: 600_000,
  queryFn: async () => (await take<List<Role>>(client.GET('/api/v1/roles'))).items,
})
export const groupList = queryOptions({
  queryKey: ['groups', 'list'],
  queryFn: async () => (await take<List<Group>>(client.GET('/api/v1/groups', { params: { query: { limit: 200 } } }))).items,
})
/** People and groups that can be given something. */
export const principals = queryOptions({
  queryKey: ['accounts', 'principals'],
  staleTime: 60_000,
  queryFn: async (): Promise<Ref[]> => {
    const [people, groups] = await Promise.all([
      take<List<Account>>(client.GET('/api/v1/accounts', { params: { query: { limit: 500 } } })),
      take<List<Group>>(client.GET('/api/v1/groups', { params: { query: { limit: 200 } } })).catch(() => ({ items: [] as Group[] })),
    ])
    return [...people.items.map(({ id, name }) => ({ id, name })), ...groups.items.map(({ id, name }) => ({ id, name: `${name} (group)` }))]
  },
})
export interface AccountFields { email?: string; user_name?: string | null; name?: string; organization_id?: Id; roles?: RoleHeld[]; disabled?: boolean; password?: string }
export const createAccount = (body: AccountFields) => take<NewAccount>(client.POST('/api/v1/accounts', { body: present(body) }))
export const changeAccount = async (id: Id, version: number, body: AccountFields): Promise<NewAccount> =>
  ({ account: await take<Account>(client.PATCH('/api/v1/accounts/{id}', { params: { path: { id } }, headers: ifMatch(version), body })) })
