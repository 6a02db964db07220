import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { client, once, present, take } from '~/api/client.ts'
import type { Id, NewRequest, Time } from '~/api/types.ts'

export interface RequestFilter {
  mine?: boolean; status?: string; open?: boolean; reviewable?: boolean; q?: string; from?: Time; to?: Time
  organization_id?: Id; source_id?: Id; case_id?: Id; sort?: string
}

const list = (query: RequestFilter & { cursor?: string; limit?: number; count?: boolean }) =>
  take(client.GET('/api/v1/video-requests', { params: { query: present(query) } }))

export const requestList = (filter: RequestFilter) => infiniteQueryOptions({
  queryKey: ['video-requests', 'list', filter],
  initialPageParam: '',
  queryFn: ({ pageParam }) => list({ ...filter, cursor: pageParam, limit: 50, count: true }),
  getNextPageParam: (last) => last.next_cursor,
  placeholderData: keepPreviousData,
})

/** How many requests a filter matches, for the chips. */
export const requestCount = (filter: RequestFilter) => queryOptions({
  queryKey: ['video-requests', 'count', filter],
  staleTime: 15_000,
  queryFn: async () => (await list({ ...filter, limit: 1, count: true })).total ?? 0,
})
export const reviewCount = requestCount({ reviewable: true })

export const oneRequest = (id: Id) => queryOptions({
  queryKey: ['video-requests', 'one', id],
  queryFn: () => take(client.GET('/api/v1/video-requests/{id}', { params: { path: { id } } })),
  // That a connector falls silent is no event: nobody sends one. What waits for a connector is asked for again.
  refetchInterval: ({ state }) => (state.data?.items.some((item) => item.waiting_for === 'connector' || item.waiting_for === 'connector_offline') ? 15_000 : false),
})

export const submitRequest = (body: NewRequest, key: string) =>
  take(client.POST('/api/v1/video-requests', { body, headers: once(key) }))

export type RequestVerb = 'approve' | 'deny' | 'cancel'
export const decideRequest = (id: Id, verb: RequestVerb, body: Decision & { item_ids?: Id[] } = {}, key?: string) =>
  take(client.POST(`/api/v1/video-requests/{id}/${verb}`, { params: { path: { id } }, body: present(body), keepalive: true, headers: key ? once(key) : {} }))
export const commentRequest = (id: Id) => (body: string, key: string) =>
  take(client.POST('/api/v1/video-requests/{id}/comments', { params: { path: { id } }, body: { body }, headers: once(key) }))

export type ItemVerb = 'approve' | 'deny' | 'ask' | 'answer' | 'cancel' | 'retry' | 'release' | 'unavailable' | 'hold' | 'free'
export interface Decision { comment?: string; body?: string; from?: Time; to?: Time; review_before_release?: boolean; level?: 'view' | 'download' }
export const actOnItem = (id: Id, verb: ItemVerb, body: Decision = {}, key?: string) =>
  take(client.POST(`/api/v1/request-items/{id}/${verb}`, { params: { path: { id } }, body: present(body), keepalive: true, headers: key ? once(key) : {} }))

export const newItemLink = (id: Id) => (body: { expires_at?: Time }, key: string) =>
  take(client.POST('/api/v1/request-items/{id}/file-request', { params: { path: { id } }, body, headers: once(key) }))

/** Requests that touch the same camera and minutes. */
export const overlapping = (filter: { source_id?: Id; from: Time; to: Time }) => queryOptions({
  queryKey: ['video-requests', 'overlapping', filter],
  staleTime: 60_000,
  queryFn: async () => (await list({ ...filter, limit: 10 })).items,
})
