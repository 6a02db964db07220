import type { Connector, ConnectorTask, Item } from '~/api/types.ts'
import { waitingText } from '~/features/video-requests/words.ts'
import { hereText, sentence } from '~/lib/format.ts'
import { duration } from '~/lib/time.ts'

/** How far the clock of a connector's machine is from the server's; null where that is less than answers may take on their way. */
export const clockText = (offsetMs: number | null) =>
  (offsetMs === null || Math.abs(offsetMs) < 2_000 ? null : `Its clock is ${duration(offsetMs)} ${offsetMs > 0 ? 'ahead of' : 'behind'} the server’s.`)

/**
 * A connector's name as files, folders and services may have it. The end of its id makes it its own: names may differ in what no file
 * has, such as all of their letters.
 */
export function fileName({ name, id }: { name: string; id: string }): string {
  const plain = name.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').slice(0, 40).replaceAll(/^-|-$/g, '')
  return `${plain || 'connector'}-${id.slice(-6)}`
}

/** What a request's item would wait for in such a phase of its task. */
const WAITS: Partial<Record<string, Item['waiting_for']>> = {
  waiting_for_recording: 'recording', waiting_for_system: 'system', waiting_for_key: 'key', waiting_for_room: 'room', waiting_for_hours: 'hours', waiting_for_server_room: 'server_room',
}

/** What a connector does about a task that it has taken, or waits for, in the words of the request's page. Null of others, and where it does not say. */
export function phaseText({ state, progress }: Pick<ConnectorTask, 'state' | 'progress'>, by: Pick<Connector, 'online' | 'organization' | 'last_seen_at'>, zone: string): string | null {
  if (state !== 'leased') return null
  const waits = by.online ? WAITS[progress?.phase ?? ''] : 'connector_offline'
  if (waits) return waitingText({ waiting_for: waits, state: 'exporting', organization: by.organization } as Item, zone, by.last_seen_at)
  return progress && ['exporting', 'uploading'].includes(progress.phase) ? `${sentence(progress.phase)}: ${hereText(progress, progress.phase)}` : null
}
