import { Link } from '@tanstack/react-router'

export function PeopleTabs({ at }: { at: '/accounts' | '/organizations' | '/groups' }) {
  return (
    <nav className="tabs" aria-label="People">
      <Link to="/accounts" aria-current={at === '/accounts' ? 'page' : undefined}>Accounts</Link>
      <Link to="/organizations" aria-current={at === '/organizations' ? 'page' : undefined}>Organizations</Link>
      <Link to="/groups" aria-current={at === '/groups' ? 'page' : undefined}>Groups</Link>
    </nav>
  )
}
