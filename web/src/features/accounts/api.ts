import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { client, ifMatch, once, present, take } from '~/api/client.ts'
import type { AccountInput, AccountPatch, Group, Id, NewAccount, Ref } from '~/api/types.ts'

export const accountList = (filter: { q?: string; organization_id?: Id }) => infiniteQueryOptions({
  queryKey: ['accounts', 'list', filter],
  initialPageParam: '',
  queryFn: ({ pageParam }) => take(client.GET('/api/v1/accounts', { params: { query: present({ ...filter, cursor: pageParam, limit: 50 }) } })),
  getNextPageParam: (last) => last.next_cursor,
  placeholderData: keepPreviousData,
})
export const oneAccount = (id: Id) => queryOptions({
  queryKey: ['accounts', 'one', id],
  queryFn: () => take(client.GET('/api/v1/accounts/{id}', { params: { path: { id } } })),
})
export const roleList = queryOptions({
  queryKey: ['roles'],
  staleTime: 600_000,
  queryFn: async () => (await take(client.GET('/api/v1/roles'))).items,
})
export const groupList = queryOptions({
  queryKey: ['groups', 'list'],
  queryFn: async () => (await take(client.GET('/api/v1/groups'))).items,
})
/** People and groups that can be given something. */
export const principals = queryOptions({
  queryKey: ['accounts', 'principals'],
  staleTime: 60_000,
  queryFn: async (): Promise<Ref[]> => {
    const [people, groups] = await Promise.all([
      take(client.GET('/api/v1/accounts', { params: { query: { limit: 500 } } })),
      take(client.GET('/api/v1/groups')).catch(() => ({ items: [] as Group[] })),
    ])
    return [...people.items.map(({ id, name }) => ({ id, name })), ...groups.items.map(({ id, name }) => ({ id, name: `${name} (group)` }))]
  },
})
export type AccountFields = Partial<AccountInput> & AccountPatch
export const createAccount = ({ email = '', name, organization_id = '', roles, user_name }: AccountFields, key: string) =>
  take(client.POST('/api/v1/accounts', { body: { email, name: name ?? '', organization_id, roles: roles ?? [], user_name }, headers: once(key) }))
export const changeAccount = async (id: Id, version: number, body: AccountPatch): Promise<NewAccount> =>
  ({ account: await take(client.PATCH('/api/v1/accounts/{id}', { params: { path: { id } }, headers: ifMatch(version), body })), one_time_password: null })
