import type { Item, Span } from '~/api/types.ts'
import { sentence } from '~/lib/format.ts'
import { clock, duration, moment } from '~/lib/time.ts'

const REASONS: Record<string, string> = {
  never_recorded: 'The camera was not recording then.',
  overwritten: 'The recorder had already overwritten it.',
  gap: 'The recorder has a gap there.',
  nothing_there: 'The owner looked and has nothing.',
}

/** Why an item ended without footage, in words; its times as the site tells them. */
export function reasonText(item: Item, zone: string): string | null {
  if (!item.reason) return null
  const known = REASONS[item.reason.code]
  const detail = item.reason.detail?.trim().replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (at) => moment(at, zone))
  if (known) return detail && !known.startsWith(detail) ? `${known} ${detail}` : known
  return detail || sentence(item.reason.code)
}

/** What the recorder had no footage of, in a file that arrived. */
export function missingText(gaps: Span[], zone: string): string {
  const [first] = gaps
  const long = gaps.reduce((sum, gap) => sum + Date.parse(gap.to) - Date.parse(gap.from), 0)
  return `${duration(long)} missing${first ? `, ${gaps.length > 1 ? 'first ' : ''}from ${clock(first.from, zone)}` : ''}`
}

/** What an item waits for, in words, with since when the connector is silent. */
export function waitingText(item: Item, zone: string, since?: string | null): string | null {
  const owner = item.organization.name
  switch (item.waiting_for) {
    case 'decision': return `Waits for ${owner} to decide.`
    case 'answer': return 'Waits for the requester to answer the question.'
    case 'connector': return 'Waits for its turn at the connector.'
    case 'connector_offline': return `The connector is offline${since ? ` since ${moment(since, zone, false)}, ${duration(Date.now() - Date.parse(since))}` : ''}. The export starts when it is back.`
    case 'recording': return 'The window is not over yet. It is exported when it has been recorded.'
    case 'hours': return 'Exported. It is sent in the hours at which its connector may send.'
    case 'link': return `Waits for ${owner} to send it through the upload link.`
    default: return null
  }
}

const HOLDS: Record<string, string> = {
  asked: 'Asked to hold it, not yet confirmed', unsupported: 'Cannot be held at the recorder', freed: 'No longer held', lost: 'The held footage is gone',
}

/** Whether the owner's side keeps the footage, and until when. That nobody does is said as long as it matters. */
export function holdText(item: Item, zone: string): string | null {
  if (item.hold === 'none') return ['pending', 'needs_information'].includes(item.state) ? 'Not held' : null
  if (item.hold === 'held') return item.held_until ? `Held until ${moment(item.held_until, zone, false)}` : 'Held'
  return HOLDS[item.hold] ?? sentence(item.hold)
}
export const whatSource = (item: Item) => item.source?.name ?? 'The place, any camera'
