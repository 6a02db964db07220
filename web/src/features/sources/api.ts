import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { client, ifMatch, once, present, take } from '~/api/client.ts'
import type { CameraFields, Id, Time } from '~/api/types.ts'

export interface SourceFilter {
  q?: string; organization_id?: Id; tag?: string; status?: string; bbox?: string; near?: string; radius_m?: number; sort?: 'name' | 'distance'
}
export const PAGE = 500

export const sourceList = (filter: SourceFilter) => infiniteQueryOptions({
  queryKey: ['sources', 'list', filter],
  initialPageParam: '',
  queryFn: ({ pageParam, signal }) =>
    take(client.GET('/api/v1/sources', { params: { query: present({ ...filter, kind: 'camera', cursor: pageParam, limit: PAGE, count: true }) }, signal })),
  getNextPageParam: (last) => last.next_cursor,
  placeholderData: keepPreviousData,
  staleTime: 30_000,
})

const oneCameraOf = (id: Id) => take(client.GET('/api/v1/cameras/{id}', { params: { path: { id } } }))

export const oneCamera = (id: Id) => queryOptions({
  queryKey: ['sources', 'one', id],
  queryFn: () => oneCameraOf(id),
})

const whatIsRecorded = (id: Id, from: Time, to: Time, refresh: boolean) =>
  take(client.GET('/api/v1/cameras/{id}/coverage', { params: { path: { id }, query: { from, to, ...present({ refresh }) } } }))

/** What is known of recordings; where that is not all, and `ask`, the recorder is asked. */
export const coverage = (id: Id, from: Time, to: Time, ask = false) => queryOptions({
  queryKey: ['sources', 'coverage', id, from, to, ask],
  staleTime: 60_000,
  retry: false,
  queryFn: async () => {
    const known = { ...(await whatIsRecorded(id, from, to, false)), asks: ask }
    if (known.complete || !ask) return known
    // Where there is no recorder, nobody is asked, and nothing is waited for.
    const hasRecorder = await oneCameraOf(id).then((camera) => camera.connector !== null, () => true)
    return hasRecorder ? whatIsRecorded(id, from, to, true).then((told) => ({ ...told, asks: true }), () => known) : { ...known, asks: false }
  },
})

export const organizationList = queryOptions({
  queryKey: ['organizations', 'all'],
  staleTime: 300_000,
  queryFn: async () => (await take(client.GET('/api/v1/organizations'))).items,
})

export const places = (q: string) => queryOptions({
  queryKey: ['places', q],
  staleTime: 300_000,
  enabled: q.trim().length > 1,
  queryFn: async ({ signal }) => (await take(client.GET('/api/v1/places', { params: { query: { q } }, signal }))).items,
})

export const createCamera = (body: CameraFields, key: string) => take(client.POST('/api/v1/cameras', { body, headers: once(key) }))
export const changeCamera = (id: Id, version: number, body: CameraFields) =>
  take(client.PATCH('/api/v1/cameras/{id}', { params: { path: { id } }, headers: ifMatch(version), body }))
export const deleteCamera = (id: Id) => take(client.DELETE('/api/v1/cameras/{id}', { params: { path: { id } } }))
export const putThumbnail = (id: Id, file: Blob) =>
  take(client.PUT('/api/v1/cameras/{id}/thumbnail', { params: { path: { id } }, body: file, bodySerializer: (b: unknown) => b, headers: { 'Content-Type': 'image/jpeg' } }))
