import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { client, present, take } from '~/api/client.ts'
import type { Connector, Id, List, Task } from '~/api/types.ts'

export const connectorList = infiniteQueryOptions({
  queryKey: ['connectors', 'list'],
  initialPageParam: '',
  refetchInterval: 30_000,
  queryFn: ({ pageParam }) => take<List<Connector>>(client.GET('/api/v1/connectors', { params: { query: present({ cursor: pageParam, limit: 50 }) } })),
  getNextPageParam: (last) => last.next_cursor,
  placeholderData: keepPreviousData,
})
export const oneConnector = (id: Id) => queryOptions({
  queryKey: ['connectors', 'one', id],
  refetchInterval: 30_000,
  queryFn: () => take<Connector>(client.GET('/api/v1/connectors/{id}', { params: { path: { id } } })),
})
export const connectorTasks = (id: Id) => queryOptions({
  queryKey: ['connectors', 'tasks', id],
  refetchInterval: 15_000,
  queryFn: async () => (await take<List<Task>>(client.GET('/api/v1/connectors/{id}/tasks', { params: { path: { id }, query: { limit: 100 } } }))).items,
})
export const createConnector = (name: string, organization_id: Id) =>
  take<{ connector: Connector; connection_file: string }>(client.POST('/api/v1/connectors', { body: { name, organization_id } }))
export const revokeConnector = (id: Id) => take<void>(client.DELETE('/api/v1/connectors/{id}', { params: { path: { id } } }))
