import type { Evidence, MediaFacts } from '~/api/types.ts'
import { bytes, plural, sentence } from '~/lib/format.ts'
import { blanks, moment } from '~/lib/time.ts'

const LEVELS: Record<string, string> = { view: 'View only', download: 'View and download', edit: 'Edit', manage: 'Manage' }
export const levelWord = (level: string) => LEVELS[level] ?? sentence(level)
/** What somebody may do with a case whose files they see: what was released to be looked at only is no more by what stands in its access list. */
export function caseLevelText(level: string, files: Pick<Evidence, 'level'>[]): string {
  const onlyViewed = level === 'view' ? 0 : files.filter((file) => file.level === 'view').length
  if (onlyViewed === 0) return levelWord(level)
  if (onlyViewed === files.length && level === 'download') return levelWord('view')
  return `${levelWord(level)}, ${onlyViewed === files.length ? 'all files' : `${plural(onlyViewed, 'file')} of ${files.length}`} to view only`
}
export const LEVEL_CHOICES = Object.entries(LEVELS).map(([value, label]) => ({ value, label }))

/** ffprobe names a container by all that its reader takes: "mov,mp4,m4a,3gp,3g2,mj2". */
export function containerWord(name: string): string {
  if (name.includes('mp4')) return 'MP4'
  if (name.includes('matroska')) return 'Matroska'
  return name.replace(/_pipe$/, '').split(',')[0]?.toUpperCase() ?? name
}

/** How well it is known when something was recorded: "± 1 s". Half a second is what any clock may be off. */
export const unsureText = (ms: number | null) => (ms !== null && ms > 500 ? `± ${ms < 10_000 ? Math.round(ms / 100) / 10 : Math.round(ms / 1000)} s` : null)

/** What is to be seen and heard, in words; of a photo, which ffprobe reads by a "pipe", its size alone. */
export function pictureText(media: MediaFacts, rate = media.frame_rate): string {
  const photo = media.container?.endsWith('_pipe')
  const moves = [rate && `${Math.round(rate * 100) / 100} frames/s`, media.video_codec, media.audio_codec ?? 'no sound']
  return [media.width && `${media.width} × ${media.height}`, ...(photo ? [] : moves)].filter(Boolean).join(', ')
}

/** How many pictures a second there are where there are any; the file's own average counts its gaps too. */
export function frameRate({ media, recorded }: Pick<Evidence, 'media' | 'recorded'>): number | null {
  const length = (media?.duration_ms ?? 0) / 1000
  const without = recorded ? blanks(recorded.clock, recorded.gaps, length).reduce((sum, b) => sum + b.to - b.from, 0) : 0
  if (!media?.frame_rate || without === 0 || without >= length) return media?.frame_rate ?? null
  return Math.round((media.frame_rate * length * 10) / (length - without)) / 10
}

const KINDS: Record<string, string> = {
  'case.create': 'Opened the case', 'case.close': 'Closed the case', 'case.reopen': 'Opened it again', 'case.rename': 'Renamed the case',
  'case.set_access': 'Changed who may do what', 'case.share': 'Gave access', 'evidence.receive': 'The file arrived', 'evidence.process': 'A copy to play was made',
  'evidence.play': 'Opened it to watch', 'evidence.download': 'Downloaded the original', 'evidence.purge': 'Purged', 'evidence.preview': 'Saw a picture of it',
  'file_request.create': 'Made an upload link', 'file_request.answer': 'Answered the upload link', 'file_request.finish': 'Finished the upload', 'file_request.revoke': 'Revoked the upload link', 'file_request.expire': 'The upload link ran out',
  'request_item.submit': 'Asked for footage', 'connector_task.complete': 'The export is complete', 'request_item.arrive': 'What was asked for arrived', 'request_item.release': 'Released what was asked for',
  'request_item.hold': 'Asked to hold the footage', 'request_item.free': 'Let go of the hold', 'request_item.hold_answered': 'The connector answered about the hold',
  'request_item.hold_run_out': 'The hold ran out',
  'upload.create': 'Began an upload', 'upload.finish': 'The upload came whole',
}
/** What happened, in words; a copy that could not be made is said as such. */
export function eventWord(kind: string, detail: unknown): string {
  if (kind === 'evidence.process' && (detail as { playable?: string } | null)?.playable === 'failed') return 'No copy to play could be made'
  return KINDS[kind] ?? sentence(kind)
}

const ANSWERS: Record<string, string> = { have: 'has footage', part: 'has a part of it', nothing: 'has nothing', no: 'does not give it' }

/** Each fact that people read, in the order in which it is said; what is not named here only machines read. */
const FACTS: Record<string, (value: string | number, zone: string) => string> = {
  name: String,
  file_name: String,
  size_bytes: (value) => bytes(Number(value)),
  answer: (value) => ANSWERS[value] ?? sentence(String(value)),
  comment: (value) => `“${value}”`,
  expires_at: (value, zone) => `good until ${moment(String(value), zone, false)}`,
}

/** What is worth reading of an event besides what happened. */
export function detailText(detail: unknown, zone: string): string {
  const facts = (detail ?? {}) as Record<string, unknown>
  return Object.entries(FACTS).flatMap(([key, say]) => {
    const value = facts[key]
    return typeof value === 'string' || typeof value === 'number' ? [say(value, zone)] : []
  }).join(', ')
}
