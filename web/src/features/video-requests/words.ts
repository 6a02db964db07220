import type { Gap, Item } from '~/api/types.ts'
import { byReason } from '~/lib/coverage.ts'
import { sentence } from '~/lib/format.ts'
import { atHome, duration, moment, zonedClock } from '~/lib/time.ts'

const REASONS: Record<string, string> = {
  never_recorded: 'The recorder has no recording of that time.',
  overwritten: 'The recorder had already overwritten it.',
  gap: 'The recorder has a gap there.',
  nothing_there: 'The owner looked and has nothing.',
}

// What the server says besides `nothing_there` where nobody said more; said once is enough.
const NOTHING_THERE = 'The owner has no footage of this window.'

/** Why an item ended without footage, in words; its times as the site tells them. */
export function reasonText(item: Item, zone: string): string | null {
  if (!item.reason) return null
  const known = REASONS[item.reason.code]
  const detail = atHome(item.reason.detail?.trim() ?? '', zone)
  if (known) return detail && !known.startsWith(detail) && detail !== NOTHING_THERE ? `${known} ${detail}` : known
  return detail || sentence(item.reason.code)
}

/** What is missing in a file that arrived, for each reason. */
export function missingTexts(gaps: Gap[], zone: string): string[] {
  return byReason(gaps).map(({ reason, gaps }) => {
    const long = gaps.reduce((sum, gap) => sum + Date.parse(gap.to) - Date.parse(gap.from), 0)
    return `${duration(long)} missing, ${gaps.length > 1 ? 'first ' : ''}from ${zonedClock(gaps[0]?.from ?? '', zone)} (${atHome(reason, zone)})`
  })
}

/** Of an upload link whose holder may send more: whether each file that they began is here. */
export const isAllHere = ({ state, progress, file_request: link }: Item) =>
  state === 'uploading' && !!link && !link.finished_at && !!progress?.bytes_total && progress.bytes_done >= progress.bytes_total

/** What an item waits for, in words, with since when the connector is silent. */
export function waitingText(item: Item, zone: string, since?: string | null): string | null {
  const owner = item.organization.name
  switch (item.waiting_for) {
    case 'decision': return `Waits for ${owner} to decide.`
    case 'answer': return 'Waits for the requester to answer the question.'
    case 'connector': return 'Waits for its turn at the connector.'
    case 'connector_offline': return `The connector is offline${since ? ` since ${moment(since, zone, false)}, ${duration(Date.now() - Date.parse(since))}` : ''}. ${item.state === 'approved' ? 'The export starts' : 'It goes on'} when it is back.`
    case 'recording': return 'The window is not over yet. It is exported when it has been recorded.'
    case 'system': return `The video system of ${owner} cannot be reached. It is tried again by itself.${item.waiting_because ? ` ${item.waiting_because}` : ''}`
    case 'key': return `What is held for this is encrypted, and its key is not beside the recorder. It goes on when ${owner} has put the key back.${item.waiting_because ? ` ${item.waiting_because}` : ''}`
    case 'room': return `The disk beside the recorder is full. The export goes on when ${owner} has made room there.`
    case 'server_room': return 'The disk of this server is full. The upload goes on when its administrator has made room.'
    case 'hours': return 'Exported. It is sent in the hours at which its connector may send.'
    case 'link': return `Waits for ${owner} to send it through the upload link.`
    case 'new_link': return `${deadLink(item.file_request, zone)} ${owner} can make a new one, or say that there is nothing.`
    default: return null
  }
}

const deadLink = (link: Item['file_request'], zone: string) =>
  (!link ? 'No upload link is out.' : link.revoked_at ? 'The upload link was revoked.' : `The upload link ran out ${moment(link.expires_at, zone, false)}, and nobody had sent anything.`)

const HOLDS: Record<string, string> = {
  asked: 'Asked to hold it, not yet confirmed', unsupported: 'Cannot be held at the recorder', freed: 'No longer held', lost: 'Not held: the footage is not there',
}

/** Whether the footage asked for has not begun to be fetched. */
export const waitsAtRecorder = (item: Item) => ['pending', 'needs_information', 'approved'].includes(item.state)

const first = (times: (string | null)[]) => times.filter((at) => at !== null).sort()[0] ?? null

/** When the first footage that waits at the recorder dies; or, where all of it is held and nothing dies, until when. Null where nothing waits. */
export function lastsUntil(items: Item[]): { held: boolean; at: string | null } | null {
  const waiting = items.filter(waitsAtRecorder)
  const loose = waiting.filter((item) => item.hold !== 'held')
  if (loose.length > 0) return { held: false, at: first(loose.map((item) => item.overwrite_at)) }
  return waiting.length > 0 ? { held: true, at: first(waiting.map((item) => item.held_until)) } : null
}

export const heldText = (until: string | null, zone: string) => (until ? `Held until ${moment(until, zone, false)}` : 'Held')

/** Whether the owner's side keeps the footage, and until when. That nobody does is said as long as it matters. */
export function holdText(item: Item, zone: string): string | null {
  if (item.hold === 'none') return ['pending', 'needs_information'].includes(item.state) ? 'Not held' : null
  if (item.hold === 'held') return heldText(item.held_until, zone)
  if (item.hold === 'asked' && item.waiting_because) return `${HOLDS.asked}. ${item.waiting_because}`
  return HOLDS[item.hold] ?? sentence(item.hold)
}
export const whatSource = (item: Item) => item.source?.name ?? 'The place, any camera'
