import { queryOptions } from '@tanstack/react-query'
import { client, once, take } from '~/api/client.ts'
import type { Id } from '~/api/types.ts'

export const connectorList = queryOptions({
  queryKey: ['connectors', 'list'],
  refetchInterval: 30_000,
  queryFn: async () => (await take(client.GET('/api/v1/connectors'))).items,
})
export const oneConnector = (id: Id) => queryOptions({
  queryKey: ['connectors', 'one', id],
  // who sets it up waits before the page for its first cameras
  refetchInterval: (query) => (query.state.data?.source_count === 0 ? 3_000 : 30_000),
  queryFn: () => take(client.GET('/api/v1/connectors/{id}', { params: { path: { id } } })),
})
export const connectorTasks = (id: Id) => queryOptions({
  queryKey: ['connectors', 'tasks', id],
  refetchInterval: 15_000,
  queryFn: async () => (await take(client.GET('/api/v1/connectors/{id}/tasks', { params: { path: { id }, query: { limit: 100 } } }))).items,
})
export const createConnector = (body: { name: string; organization_id: Id }, key: string) =>
  take(client.POST('/api/v1/connectors', { body, headers: once(key) }))
export const revokeConnector = (id: Id) => take(client.DELETE('/api/v1/connectors/{id}', { params: { path: { id } } }))
