import { Button, PasswordInput, TextInput } from '@mantine/core'
import { useDocumentTitle } from '@mantine/hooks'
import { useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { Mark } from '~/layout/Mark.tsx'
import { Note, TroubleNote } from '~/ui/Notes.tsx'
import { asTrouble } from '~/api/problem.ts'
import { forgetToasts } from '~/ui/Toasts.tsx'
import { meQuery, sessionEnded, signIn } from './me.ts'
import './session.css'

export function SignIn() {
  useDocumentTitle('Sign in · Sightline')
  const navigate = useNavigate()
  const queries = useQueryClient()
  const { to } = useSearch({ strict: false }) as { to?: string }
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const [error, setError] = useState<unknown>(null)
  const [ended] = useState(() => queries.getQueryData(sessionEnded) === true)
  const [busy, setBusy] = useState(false)

  async function submit(event: FormEvent) {
    event.preventDefault()
    setBusy(true)
    setError(null)
    try {
      await signIn(email.trim(), password)
      queries.clear()
      forgetToasts()
      await queries.fetchQuery(meQuery)
      await navigate({ to: to?.startsWith('/') && !to.startsWith('//') ? to : '/', replace: true })
    } catch (caught) {
      setError(caught)
    } finally {
      setBusy(false)
    }
  }

  const trouble = error ? asTrouble(error) : null
  const wrong = trouble?.code === 'wrong_credentials'
  return (
    <main className="door">
      <form className="door-card" onSubmit={submit}>
        <Mark large />
        <h1>Sign in</h1>
        {ended && <Note tone="wait">Your session ended. Sign in, and go on where you were.</Note>}
        <TextInput label="E-mail or user name" name="username" autoComplete="username" required withAsterisk={false} size="md" autoFocus
          value={email} onChange={(e) => setEmail(e.currentTarget.value)} />
        <PasswordInput label="Password" name="password" autoComplete="current-password" required withAsterisk={false} size="md"
          visibilityToggleButtonProps={{ 'aria-label': 'Show password' }}
          value={password} onChange={(e) => setPassword(e.currentTarget.value)} errorProps={{ role: 'alert' }}
          error={wrong ? 'No account has this name and password. Check both, then try again.' : undefined} />
        {trouble && !wrong && <TroubleNote error={trouble} />}
        <Button type="submit" size="md" loading={busy} fullWidth>Sign in</Button>
        <p className="dim small">No account? The person who runs Sightline at your agency makes one for you.</p>
      </form>
    </main>
  )
}
