import { infiniteQueryOptions, keepPreviousData, queryOptions } from '@tanstack/react-query'
import { client, present, take } from '~/api/client.ts'
import type { Id, MailState } from '~/api/types.ts'

export const mailList = (filter: { q?: string; state?: MailState }) => infiniteQueryOptions({
  queryKey: ['mails', 'list', filter],
  initialPageParam: '',
  queryFn: ({ pageParam }) => take(client.GET('/api/v1/mails', { params: { query: present({ ...filter, cursor: pageParam, limit: 50 }) } })),
  getNextPageParam: (last) => last.next_cursor,
  placeholderData: keepPreviousData,
})
export const oneMail = (id: Id) => queryOptions({
  queryKey: ['mails', 'one', id],
  queryFn: () => take(client.GET('/api/v1/mails/{id}', { params: { path: { id } } })),
})
export const retryMail = (id: Id) => take(client.POST('/api/v1/mails/{id}/retry', { params: { path: { id } } }))
