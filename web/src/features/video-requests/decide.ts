import type { QueryClient } from '@tanstack/react-query'
import { sendOnceAs } from '~/api/once.ts'
import type { Id, Item, VideoRequest } from '~/api/types.ts'
import { later, tell } from '~/ui/Toasts.tsx'
import { actOnItem, type Decision, decideRequest, type ItemVerb, oneRequest } from './api.ts'
import { whatSource } from './words.ts'

export type Held = { verb: ItemVerb; items: Set<Id> }
const WORDS: Partial<Record<ItemVerb, string>> = {
  approve: 'Approving', deny: 'Denying', release: 'Releasing', unavailable: 'Marking as unavailable', cancel: 'Canceling', retry: 'Trying again',
}

/** Held-back decisions, so that a page can show what is about to be sent; and those of them that are on their way, which nobody takes back. */
const held = new Map<Id, ItemVerb>()
const leaving = new Set<Id>()
const subs = new Set<() => void>()
let version = 0
const changed = () => { version += 1; for (const sub of subs) sub() }
export const heldDecisions = {
  subscribe: (sub: () => void) => { subs.add(sub); return () => { subs.delete(sub) } },
  version: () => version,
  of: (id: Id) => held.get(id),
  isLeaving: (id: Id) => leaving.has(id),
}

/** Several items are approved or denied together: all or none, and with one mail. What can have words with it is done and told once, however often it is sent. */
async function decide(request: Id, items: Item[], verb: ItemVerb, body: Decision): Promise<VideoRequest | undefined> {
  const ids = items.map((item) => item.id)
  const one = ids.length === 1 ? ids[0] : undefined
  const together = verb === 'approve' || verb === 'deny' ? verb : undefined
  const post = one && (together || verb === 'unavailable') ? (words: Decision, key: string) => actOnItem(one, verb, words, key)
    : together && ((words: Decision, key: string) => decideRequest(request, together, { ...words, item_ids: ids }, key))
  if (post) {
    const { made, earlier } = await sendOnceAs(`${verb} ${request} ${ids.join()}`, post)(body)
    if (earlier) tell('Your decision had arrived as you wrote it first.')
    return made
  }
  let last: VideoRequest | undefined
  for (const id of ids) last = await actOnItem(id, verb, body)
  return last
}

/** Sends a decision on some items of one request after five seconds, unless it is taken back; `onSent` once it was accepted. */
export function decideLater(queries: QueryClient, request: { id: Id; number: string }, items: Item[], verb: ItemVerb, body: Decision = {}, onSent?: () => void) {
  if (items.length === 0) return
  for (const item of items) held.set(item.id, verb)
  changed()
  const free = () => { for (const item of items) { held.delete(item.id); leaving.delete(item.id) } changed() }
  const what = items.length === 1 && items[0] ? whatSource(items[0]) : `${items.length} items`
  later(`${WORDS[verb] ?? verb} ${what} of ${request.number}`, async () => {
    for (const item of items) leaving.add(item.id)
    changed()
    try {
      keep(queries, await decide(request.id, items, verb, body))
      onSent?.()
    } finally {
      free()
      void queries.invalidateQueries({ queryKey: ['video-requests'] })
    }
  }, free)
}

/** The request as an action returned it is the newest there is. */
export function keep(queries: QueryClient, request: VideoRequest | undefined) {
  if (request?.items) queries.setQueryData(oneRequest(request.id).queryKey, request)
  void queries.invalidateQueries({ queryKey: ['video-requests', 'list'] })
  void queries.invalidateQueries({ queryKey: ['video-requests', 'count'] })
}
