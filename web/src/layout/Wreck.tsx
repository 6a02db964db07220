import { Button } from '@mantine/core'
import { IconMapOff } from '@tabler/icons-react'
import { useRouter } from '@tanstack/react-router'
import { Empty, TroubleNote } from '~/ui/Notes.tsx'

export function Wreck({ error, reset }: { error: unknown; reset?: () => void }) {
  const router = useRouter()
  return (
    <div className="page narrow" style={{ paddingTop: 48 }}>
      <h1 className="unseen">Something went wrong</h1>
      <TroubleNote error={error} retry={() => { reset?.(); void router.invalidate() }} />
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
