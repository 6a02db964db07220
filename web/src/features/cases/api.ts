import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { client, ifMatch, once, present, take } from '~/api/client.ts'
import type { Id, Level, Time } from '~/api/types.ts'

export const caseList = (q?: string) => infiniteQueryOptions({
  queryKey: ['cases', 'list', q ?? ''],
  initialPageParam: '',
  queryFn: ({ pageParam }) => take(client.GET('/api/v1/cases', { params: { query: present({ q, cursor: pageParam, limit: 50 }) } })),
  getNextPageParam: (last) => last.next_cursor,
  placeholderData: keepPreviousData,
})
/** Those that take more footage from whoever asks. */
export const openCases = queryOptions({
  queryKey: ['cases', 'open'],
  staleTime: 60_000,
  queryFn: async () => (await take(client.GET('/api/v1/cases', { params: { query: { limit: 100 } } }))).items.filter((c) => c.allowed_actions.includes('add')),
})
export const oneCase = (id: Id) => queryOptions({
  queryKey: ['cases', 'one', id],
  queryFn: () => take(client.GET('/api/v1/cases/{id}', { params: { path: { id } } })),
})
export const caseEvidence = (id: Id) => queryOptions({
  queryKey: ['evidence', 'of', id],
  queryFn: async () => (await take(client.GET('/api/v1/cases/{id}/evidence', { params: { path: { id }, query: { limit: 500 } } }))).items,
})
export const oneEvidence = (id: Id) => queryOptions({
  queryKey: ['evidence', 'one', id],
  queryFn: () => take(client.GET('/api/v1/evidence/{id}', { params: { path: { id } } })),
})
export const caseAccess = (id: Id) => queryOptions({
  queryKey: ['cases', 'access', id],
  queryFn: () => take(client.GET('/api/v1/cases/{id}/access', { params: { path: { id } } })),
})
/** Whom one could give access to: at most twenty; more words find the rest. */
export const accessCandidates = (id: Id, q: string) => queryOptions({
  queryKey: ['cases', 'access-candidates', id, q],
  staleTime: 60_000,
  placeholderData: keepPreviousData,
  queryFn: async () => (await take(
    client.GET('/api/v1/cases/{id}/access/candidates', { params: { path: { id }, query: present({ q }) } }))).items,
})
export const caseLinks = (id: Id) => queryOptions({
  queryKey: ['cases', 'links', id],
  queryFn: async () => (await take(client.GET('/api/v1/cases/{id}/file-requests', { params: { path: { id } } }))).items,
})
export const caseHistory = (id: Id) => queryOptions({
  queryKey: ['cases', 'history', id],
  queryFn: async () => (await take(client.GET('/api/v1/cases/{id}/history', { params: { path: { id } } }))).items,
})
export const evidenceHistory = (id: Id) => queryOptions({
  queryKey: ['evidence', 'history', id],
  queryFn: async () => (await take(client.GET('/api/v1/evidence/{id}/history', { params: { path: { id } } }))).items,
})

export const createCase = (name: string, key: string) => take(client.POST('/api/v1/cases', { body: { name }, headers: once(key) }))
export const renameCase = (id: Id, version: number, name: string) =>
  take(client.PATCH('/api/v1/cases/{id}', { params: { path: { id } }, headers: ifMatch(version), body: { name } }))
export const closeCase = (id: Id) => take(client.POST('/api/v1/cases/{id}/close', { params: { path: { id } } }))
export const reopenCase = (id: Id) => take(client.POST('/api/v1/cases/{id}/reopen', { params: { path: { id } } }))
export const putAccess = (id: Id, version: number, entries: { principal_id: Id; level: Level; expires_at?: Time | null }[]) =>
  take(client.PUT('/api/v1/cases/{id}/access', { params: { path: { id } }, headers: ifMatch(version), body: { entries } }))
export const newCaseLink = (id: Id) => (body: { name: string; description?: string; expires_at: Time }, key: string) =>
  take(client.POST('/api/v1/cases/{id}/file-requests', { params: { path: { id } }, body, headers: once(key) }))
