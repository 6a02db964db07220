import { IconCircleCheck, IconCircleDashed, IconPointFilled } from '@tabler/icons-react'
import type { Item } from '~/api/types.ts'
import { percent } from '~/lib/format.ts'
import { look } from '~/ui/Status.tsx'
import { useZone } from '~/features/session/me.ts'
import { HoldState } from './HoldState.tsx'
import { holdText, isAllHere } from './words.ts'

/** What is known to have happened to an item, in its order, up to where it stands now. The server says the state; this only draws it. */
export function LifeLine({ item }: { item: Item }) {
  const now = look(item.state)
  const done = item.progress && !isAllHere(item) ? percent(item.progress.bytes_done, item.progress.bytes_total) : null
  const hold = holdText(item, useZone()) && <li><HoldState item={item} brief /></li>
  const NowIcon = now.icon
  const stands = <li data-now className={`tone-${now.tone}`}><NowIcon size={15} aria-hidden />{item.state === 'pending' ? 'Asked' : now.word}{done !== null && item.state !== 'released' && ` ${done} %`}{item.decided_by && ['approved', 'denied'].includes(item.state) && ` by ${item.decided_by.name}`}</li>
  return (
    <ol className="life" aria-label="What has happened so far">
      {item.state === 'pending' ? stands : <li><IconPointFilled size={12} aria-hidden />Asked</li>}
      {item.hold !== 'freed' && hold}
      {item.decided_by && !['approved', 'denied'].includes(item.state) && <li><IconCircleCheck size={13} aria-hidden />Decided by {item.decided_by.name}</li>}
      {item.state !== 'pending' && stands}
      {item.hold === 'freed' && hold}
      {item.waiting_for && <li><IconCircleDashed size={13} aria-hidden />{item.state === 'pending' ? 'Decision' : 'Release'}</li>}
    </ol>
  )
}
