import { ActionIcon, Drawer, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconChevronDown, IconKey, IconLogout, IconMenu2, IconMoon, IconSettings, IconSun } from '@tabler/icons-react'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { useLive } from '~/api/live.ts'
import type { Me } from '~/api/types.ts'
import { may, meQuery, signOut } from '~/features/session/me.ts'
import { reviewCount } from '~/features/video-requests/api.ts'
import { forgetDrafts } from '~/lib/draft.ts'
import { forgetToasts, sendAll, tellTrouble } from '~/ui/Toasts.tsx'
import { useCodeAhead } from './ahead.ts'
import { closedAt, doorsFor } from './doors.ts'
import { Mark } from './Mark.tsx'
import { Closed } from './Wreck.tsx'
import { WrongClock } from './WrongClock.tsx'
import './shell.css'

function Doors({ me, onGo }: { me: Me; onGo?: () => void }) {
  const { pathname } = useLocation()
  const approves = may(me, 'approve_requests')
  const { data: waiting } = useQuery({ ...reviewCount, enabled: approves })
  return doorsFor(me).map((door) => {
    const here = pathname === door.to || pathname.startsWith(`${door.to}/`) || (door.to === '/accounts' && /^\/(organizations|groups)/.test(pathname))
    return (
      <Link key={door.to} to={door.to} className="door-link" aria-current={here ? 'page' : undefined} onClick={onGo}>
        {door.word}
        {door.to === '/review' && !!waiting && <span className="badge">{waiting}<span className="unseen"> waiting</span></span>}
      </Link>
    )
  })
}

export function Shell() {
  const { data: me } = useQuery(meQuery)
  // A session that ended: the router is on its way to the door.
  return me ? <Office me={me} /> : null
}

function Office({ me }: { me: Me }) {
  const queries = useQueryClient()
  const navigate = useNavigate()
  const location = useLocation()
  const [drawer, setDrawer] = useState(false)
  const { setColorScheme } = useMantineColorScheme()
  const scheme = useComputedColorScheme('light')
  const live = useLive()
  useCodeAhead()

  useEffect(() => {
    if (me.account.must_change_password) void navigate({ to: '/password', replace: true })
  }, [me.account.must_change_password, navigate])

  /** What is held back is sent first. Where that fails, or the server does not hear of it, one is still here, and told so. */
  async function leave() {
    if (!(await sendAll())) return
    try {
      await signOut()
    } catch (error) {
      return tellTrouble(error)
    }
    forgetToasts()
    forgetDrafts()
    queries.clear()
    await navigate({ to: '/sign-in', search: {} })
  }
  const other = scheme === 'dark' ? 'light' : 'dark'
  const closed = closedAt(me, location.pathname)
  const full = location.pathname === '/registry' && !closed
  return (
    <div className={full ? 'shell full' : 'shell'}>
      <a className="skip" href="#main">Skip to content</a>
      <header className="shell-head">
        <ActionIcon className="burger" aria-label="Menu" onClick={() => setDrawer(true)} size={32}><IconMenu2 size={20} /></ActionIcon>
        <Link to="/" activeOptions={{ exact: true }} className="home" aria-label="Sightline, home"><Mark /></Link>
        <nav className="doors" aria-label="Main"><Doors me={me} /></nav>
        <div className="row push" style={{ gap: 4 }}>
          {live === 'down' && <Tooltip label="Live updates are interrupted. The page tries again by itself."><span className="status tone-wait small" role="status">Not live</span></Tooltip>}
          <Tooltip label={`Change to ${other}`}>
            <ActionIcon aria-label={`Change to ${other} colours`} onClick={() => setColorScheme(other)} size={32}>
              {scheme === 'dark' ? <IconSun size={18} /> : <IconMoon size={18} />}
            </ActionIcon>
          </Tooltip>
          <Menu width={220}>
            <Menu.Target>
              <button type="button" className="who plain">
                <span className="cut">{me.account.name}</span> <IconChevronDown size={14} aria-hidden />
              </button>
            </Menu.Target>
            <Menu.Dropdown>
              <div className="small dim" style={{ padding: '4px 12px 8px', overflowWrap: 'anywhere' }}><strong>{me.account.name}</strong><br />{me.account.email}<br />{me.account.organization.name}</div>
              <Menu.Item leftSection={<IconSettings size={16} />} onClick={() => navigate({ to: '/settings' })}>Settings</Menu.Item>
              <Menu.Item leftSection={<IconKey size={16} />} onClick={() => navigate({ to: '/tokens' })}>API tokens</Menu.Item>
              <Menu.Divider />
              <Menu.Item leftSection={<IconLogout size={16} />} onClick={leave}>Sign out</Menu.Item>
            </Menu.Dropdown>
          </Menu>
        </div>
      </header>
      <Drawer opened={drawer} onClose={() => setDrawer(false)} position="left" size={260} title={<Mark />} closeButtonProps={{ 'aria-label': 'Close menu' }}>
        <nav className="doors-tall" aria-label="Main"><Doors me={me} onGo={() => setDrawer(false)} /></nav>
      </Drawer>
      <WrongClock />
      <main id="main" className="shell-main" tabIndex={-1}>{closed ? <Closed word={closed.word} me={me} /> : <Outlet />}</main>
    </div>
  )
}
