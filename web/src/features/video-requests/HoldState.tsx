import { IconLock, IconLockOpen } from '@tabler/icons-react'
import type { Item } from '~/api/types.ts'
import { useZone } from '~/features/session/me.ts'
import { holdText } from './words.ts'

/** Whether the footage is held, and until when, with its sign; nothing where that does not matter any more. */
export function HoldState({ item, brief = false }: { item: Item; brief?: boolean }) {
  const zone = useZone()
  const text = brief && item.hold === 'held' ? 'Held' : holdText(item, zone)
  const Sign = item.hold === 'none' ? IconLockOpen : IconLock
  return text && <span className="hold"><Sign size={13} aria-hidden />{text}</span>
}
