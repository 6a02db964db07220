import { Button, Skeleton } from '@mantine/core'
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { asTrouble } from '~/api/problem.ts'

/** What happened, what is unchanged, what to do. */
export function TroubleNote({ error, retry }: { error: unknown; retry?: () => void }) {
  const trouble = asTrouble(error)
  return (
    <div className="note bad" role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <div className="stack" style={{ gap: 4 }}>
        <strong>{trouble.message}</strong>
        {trouble.detail && trouble.detail !== trouble.message && <span>{trouble.detail}</span>}
        {trouble.fields.some((field) => field.message !== trouble.detail) && (
          <ul style={{ margin: 0, paddingLeft: 18 }}>
            {trouble.fields.map((field) => (
              <li key={field.pointer + field.message}>{field.message}</li>
            ))}
          </ul>
        )}
        <span className="dim">
          {trouble.advice}
          {trouble.status >= 500 && trouble.requestId && <span className="mono"> {trouble.requestId}</span>}
        </span>
        {retry && <div><Button variant="default" onClick={retry}>Try again</Button></div>}
      </div>
    </div>
  )
}

interface Changed { what: string; onLoad: () => void; loading?: boolean }

/** Somebody else changed what a form is of since it was opened: what was typed stays in it, and is saved on top of what is there now. */
export function Overtaken(changed: Changed) {
  return <ChangedMeanwhile {...changed} words="Nothing is saved yet, and what you typed is still here. Load what is there now, look at it, and save again." load="Load what is there now" />
}

/** The same where a form cannot put both together: what is there now takes the place of what was ticked. */
export function LoadAgain(changed: Changed) {
  return <ChangedMeanwhile {...changed} words="Nothing of yours is saved. Note what you changed, load it again, and change what is there now." load="Load it again" />
}

function ChangedMeanwhile({ what, onLoad, loading, words, load }: Changed & { words: string; load: string }) {
  return (
    <div className="note bad" role="alert" tabIndex={-1}>
      <IconAlertTriangle size={18} aria-hidden />
      <div className="stack" style={{ gap: 4 }}>
        <strong>Somebody else changed {what} while this was open</strong>
        <span>{words}</span>
        <div><Button variant="default" loading={loading} onClick={onLoad}>{load}</Button></div>
      </div>
    </div>
  )
}

export function Note({ tone = 'info', icon: Icon = IconInfoCircle, children }: { tone?: 'info' | 'wait' | 'bad' | 'good'; icon?: typeof IconInfoCircle; children: ReactNode }) {
  return (
    <div className={`note ${tone}`}>
      <Icon size={18} aria-hidden />
      <div className="grow">{children}</div>
    </div>
  )
}

/** What belongs here, and the way to bring it. */
export function Empty({ icon: Icon, title, children, action }: { icon?: typeof IconInfoCircle; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="empty">
      {Icon && <Icon size={32} stroke={1.5} aria-hidden />}
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {action}
    </div>
  )
}

/** The shape of rows to come. */
export function RowsToCome({ rows = 6, height = 40 }: { rows?: number; height?: number }) {
  return (
    <div className="stack" aria-busy="true" style={{ padding: 12 }}>
      <span className="unseen" role="status">Loading</span>
      {Array.from({ length: rows }, (_, i) => <Skeleton key={String(i)} height={height} radius={6} />)}
    </div>
  )
}
