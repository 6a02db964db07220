import { Button } from '@mantine/core'
import { IconLock, IconMapOff } from '@tabler/icons-react'
import { Link, useRouter } from '@tanstack/react-router'
import { Trouble } from '~/api/problem.ts'
import type { Me } from '~/api/types.ts'
import { Empty, TroubleNote } from '~/ui/Notes.tsx'
import { doorsFor } from './doors.ts'

/** Instead of a page that could not be shown. A mistake of the page's own is mended, if at all, by loading it anew. */
export function Wreck({ error, reset }: { error: unknown; reset?: () => void }) {
  const router = useRouter()
  const again = () => { reset?.(); void router.invalidate() }
  return (
    <div className="page narrow" style={{ paddingTop: 48 }}>
      <h1 className="unseen">Something went wrong</h1>
      <TroubleNote error={error} retry={error instanceof Trouble ? again : () => location.reload()} />
    </div>
  )
}

export function NotFound() {
  return (
    <main className="page narrow">
      <h1 className="unseen">Not found</h1>
      <Empty icon={IconMapOff} title="There is no such page" action={<Button component="a" href="/">Go to the start</Button>}>
        The address may be mistyped, or what was there is gone.
      </Empty>
    </main>
  )
}

/** Instead of a page whose address one has, but not the role for it: what is there for them, and where. */
export function Closed({ word, me }: { word: string; me: Me }) {
  const open = doorsFor(me)
  const start = open[0]
  return (
    <div className="page narrow">
      <h1 className="unseen">{word}</h1>
      <Empty icon={IconLock} title={`“${word}” is not open to your account`} action={start && <Button component={Link} to={start.to}>Go to {start.word}</Button>}>
        {open.length === 1 ? 'What is shared with you is under Cases. For more, an administrator can give you a role.' : 'An administrator can give you the role for it.'}
      </Empty>
    </div>
  )
}
