import { useDocumentTitle } from '@mantine/hooks'
import type { ReactNode } from 'react'

/** A page's title, what it is about, and its actions. */
export function Page({ title, heading, under, actions, narrow, children }: {
  title: string; heading?: ReactNode; under?: ReactNode; actions?: ReactNode; narrow?: boolean; children: ReactNode
}) {
  useDocumentTitle(`${title} · Sightline`)
  return (
    <div className={narrow ? 'page narrow' : 'page'}>
      <header className="page-head">
        <h1>{heading ?? title}</h1>
        {actions && <div className="actions">{actions}</div>}
        {under && <div className="under">{under}</div>}
      </header>
      {children}
    </div>
  )
}

export function Facts({ of }: { of: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {of.filter(([, value]) => value !== null && value !== undefined && value !== false && value !== '').map(([name, value]) => (
        <div key={name} style={{ display: 'contents' }}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
