import { Button, PasswordInput } from '@mantine/core'
import { useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { asTrouble } from '~/api/problem.ts'
import { TroubleNote } from '~/ui/Notes.tsx'
import { tell } from '~/ui/Toasts.tsx'
import { changePassword, meQuery } from './me.ts'

/** A new password, twice; used at the door and in the settings. */
export function PasswordForm({ onDone, currentLabel = 'Current password' }: { onDone?: () => void; currentLabel?: string }) {
  const queries = useQueryClient()
  const [current, setCurrent] = useState('')
  const [fresh, setFresh] = useState('')
  const [again, setAgain] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [busy, setBusy] = useState(false)
  const differs = again !== '' && fresh !== again
  const trouble = error ? asTrouble(error) : null
  const placed = trouble?.field('/current') ?? trouble?.field('/new')

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (differs) return
    setBusy(true)
    setError(null)
    try {
      await changePassword(current, fresh)
      await queries.invalidateQueries({ queryKey: meQuery.queryKey })
      setCurrent(''); setFresh(''); setAgain('')
      tell('Your password is changed.')
      onDone?.()
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }

  const eye = { 'aria-label': 'Show password' }
  return (
    <form className="stack wide" onSubmit={submit}>
      <PasswordInput label={currentLabel} autoComplete="current-password" required withAsterisk={false} visibilityToggleButtonProps={eye}
        value={current} onChange={(e) => setCurrent(e.currentTarget.value)} error={trouble?.field('/current')} />
      <PasswordInput label="New password" description="At least 12 characters. Length matters more than signs." autoComplete="new-password" required withAsterisk={false}
        visibilityToggleButtonProps={eye} value={fresh} onChange={(e) => setFresh(e.currentTarget.value)} error={trouble?.field('/new')} />
      <PasswordInput label="New password, again" autoComplete="new-password" required withAsterisk={false} visibilityToggleButtonProps={eye}
        value={again} onChange={(e) => setAgain(e.currentTarget.value)} error={differs ? 'The two differ.' : undefined} />
      {trouble && !placed && <TroubleNote error={trouble} />}
      <div><Button type="submit" size="sm" loading={busy}>Change password</Button></div>
    </form>
  )
}
