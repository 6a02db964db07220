import { useDocumentTitle } from '@mantine/hooks'
import { useNavigate } from '@tanstack/react-router'
import { Mark } from '~/layout/Mark.tsx'
import { PasswordForm } from './PasswordForm.tsx'
import './session.css'

/** Shown to whoever came in with a password that somebody else knows. */
export function NewPassword() {
  useDocumentTitle('Choose a password · Sightline')
  const navigate = useNavigate()
  return (
    <main className="door">
      <div className="door-card">
        <Mark large />
        <h1>Choose a password</h1>
        <p className="dim">The one you came in with is known to whoever made the account. Choose your own to go on.</p>
        <PasswordForm currentLabel="Password you came in with" onDone={() => navigate({ to: '/', replace: true })} />
      </div>
    </main>
  )
}
