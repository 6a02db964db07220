import {
  IconAlertTriangle, IconBan, IconCheck, IconCircleCheck, IconCircleDashed, IconCircleHalf2, IconClock, IconClockOff, IconEye,
  IconFileExport, IconHelpCircle, IconMailCheck, IconPlugConnected, IconPlugConnectedX, IconProgress, IconUpload, IconVideoOff, IconX,
  IconArchive, IconQuestionMark,
} from '@tabler/icons-react'
import { sentence } from '~/lib/format.ts'
import './ui.css'

type Tone = 'wait' | 'ask' | 'run' | 'good' | 'bad' | 'off'
type Look = { word: string; tone: Tone; icon: typeof IconCheck }

/** How a state looks: always a word, an icon and a colour. Which states follow which is the server's business. */
const LOOKS: Record<string, Look> = {
  pending: { word: 'Pending', tone: 'wait', icon: IconClock },
  needs_information: { word: 'Question asked', tone: 'ask', icon: IconHelpCircle },
  approved: { word: 'Approved', tone: 'run', icon: IconCheck },
  exporting: { word: 'Exporting', tone: 'run', icon: IconFileExport },
  uploading: { word: 'Uploading', tone: 'run', icon: IconUpload },
  in_review: { word: 'In review', tone: 'ask', icon: IconEye },
  released: { word: 'Released', tone: 'good', icon: IconCircleCheck },
  unavailable: { word: 'Unavailable', tone: 'off', icon: IconVideoOff },
  failed: { word: 'Failed', tone: 'bad', icon: IconAlertTriangle },
  denied: { word: 'Denied', tone: 'bad', icon: IconBan },
  canceled: { word: 'Canceled', tone: 'off', icon: IconX },
  expired: { word: 'Expired', tone: 'off', icon: IconClockOff },
  processing: { word: 'Processing', tone: 'run', icon: IconProgress },
  completed: { word: 'Completed', tone: 'good', icon: IconCircleCheck },
  partially_completed: { word: 'Partially completed', tone: 'good', icon: IconCircleHalf2 },
  video_unavailable: { word: 'Video unavailable', tone: 'off', icon: IconVideoOff },
  online: { word: 'Online', tone: 'good', icon: IconPlugConnected },
  offline: { word: 'Offline', tone: 'bad', icon: IconPlugConnectedX },
  unknown: { word: 'Unknown', tone: 'off', icon: IconQuestionMark },
  vanished: { word: 'No longer reported', tone: 'wait', icon: IconCircleDashed },
  revoked: { word: 'Revoked', tone: 'off', icon: IconBan },
  waiting: { word: 'Waiting', tone: 'wait', icon: IconClock },
  sent: { word: 'Sent', tone: 'good', icon: IconMailCheck },
  kept: { word: 'Kept here', tone: 'off', icon: IconArchive },
  dead: { word: 'Given up', tone: 'bad', icon: IconAlertTriangle },
  running: { word: 'Running', tone: 'run', icon: IconProgress },
  leased: { word: 'Running', tone: 'run', icon: IconProgress },
  done: { word: 'Done', tone: 'good', icon: IconCircleCheck },
  ready: { word: 'Ready', tone: 'good', icon: IconCircleCheck },
  active: { word: 'Active', tone: 'good', icon: IconCircleCheck },
  disabled: { word: 'Disabled', tone: 'off', icon: IconBan },
  closed: { word: 'Closed', tone: 'off', icon: IconArchive },
  open: { word: 'Open', tone: 'run', icon: IconProgress },
}

export function look(state: string): Look {
  return LOOKS[state] ?? { word: sentence(state), tone: 'off', icon: IconCircleDashed }
}

export function Status({ of, more }: { of: string; more?: string }) {
  const { word, tone, icon: Icon } = look(of)
  return (
    <span className={`status tone-${tone}`}>
      <Icon size={15} stroke={2} aria-hidden />
      {more ? `${word} ${more}` : word}
    </span>
  )
}
