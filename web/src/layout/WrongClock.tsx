import { IconClockExclamation } from '@tabler/icons-react'
import { useSyncExternalStore } from 'react'
import { clockSkew } from '~/lib/skew.ts'
import { duration } from '~/lib/time.ts'
import { Note } from '~/ui/Notes.tsx'

/** Where this computer's clock is wrong: what the page reckons by it is wrong too, and nothing else would say so. */
export function WrongClock() {
  const skew = useSyncExternalStore(clockSkew.subscribe, clockSkew.now)
  if (skew === 0) return null
  return (
    <div className="shell-note" role="status">
      <Note tone="wait" icon={IconClockExclamation}>This computer’s clock is {duration(skew)} {skew > 0 ? 'ahead' : 'behind'}. Times left, and the minutes that the form offers, are wrong.</Note>
    </div>
  )
}
