import { Button } from '@mantine/core'
import { IconLock, IconMapOff } from '@tabler/icons-react'
import { useRouter } from '@tanstack/react-router'
import { Trouble } from '~/api/problem.ts'
import { Empty, TroubleNote } from '~/ui/Notes.tsx'

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

/** Instead of a page whose address one has, but not the role for it. */
export function Closed({ word }: { word: string }) {
  return (
    <div className="page narrow">
      <h1 className="unseen">{word}</h1>
      <Empty icon={IconLock} title="This page is not open to your account" action={<Button component="a" href="/">Go to the start</Button>}>
        An administrator can give you the role for it.
      </Empty>
    </div>
  )
}
