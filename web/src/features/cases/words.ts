import { sentence } from '~/lib/format.ts'

const LEVELS: Record<string, string> = { view: 'View only', download: 'View and download', edit: 'Edit', manage: 'Manage' }
export const levelWord = (level: string) => LEVELS[level] ?? sentence(level)
export const LEVEL_CHOICES = Object.entries(LEVELS).map(([value, label]) => ({ value, label }))

const KINDS: Record<string, string> = {
  'case.create': 'Opened the case', 'case.close': 'Closed the case', 'case.reopen': 'Opened it again', 'case.rename': 'Renamed the case',
  'case.set_access': 'Changed who may do what', 'case.share': 'Gave access', 'evidence.receive': 'The file arrived', 'evidence.process': 'A copy to play was made',
  'evidence.play': 'Watched', 'evidence.watch': 'Watched', 'evidence.view': 'Watched', 'evidence.download': 'Downloaded the original', 'evidence.purge': 'Purged', 'evidence.release': 'Released', 'evidence.preview': 'Saw a picture of it',
  'file_request.create': 'Made an upload link', 'file_request.answer': 'Answered the upload link', 'file_request.finish': 'Finished the upload', 'file_request.revoke': 'Revoked the upload link',
  'request_item.arrive': 'What was asked for arrived', 'request_item.release': 'Released what was asked for',
}
export const eventWord = (kind: string) => KINDS[kind] ?? sentence(kind)
