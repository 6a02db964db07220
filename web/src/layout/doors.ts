import type { Me } from '~/api/types.ts'
import { may } from '~/features/session/me.ts'

export interface Door { to: string; word: string; needs?: string[]; minor?: boolean }

const DOORS: Door[] = [
  { to: '/registry', word: 'Registry', needs: ['view_registry', 'manage_registry'] },
  { to: '/requests', word: 'Requests', needs: ['submit_requests', 'view_all_requests', 'approve_requests'] },
  { to: '/review', word: 'Review', needs: ['approve_requests'] },
  { to: '/cases', word: 'Cases' },
  { to: '/connectors', word: 'Connectors', needs: ['manage_connectors'] },
  { to: '/accounts', word: 'People', needs: ['manage_accounts'], minor: true },
  { to: '/mail', word: 'Mail', needs: ['manage_settings'], minor: true },
  { to: '/jobs', word: 'Jobs', needs: ['manage_settings'], minor: true },
]
const isOpen = (me: Me, door: Door) => !door.needs || door.needs.some((privilege) => may(me, privilege))

/** The pages that somebody may open, as the menu has them. */
export const doorsFor = (me: Me) => DOORS.filter((door) => isOpen(me, door))

/** Whether a page of the menu is there for somebody: what leads to it elsewhere is shown to them only. */
export const hasDoor = (me: Me, to: string) => doorsFor(me).some((door) => door.to === to)

/** The page at an address, where it is not open to somebody: the router is as lenient about the address. */
export function closedAt(me: Me, pathname: string): Door | undefined {
  const path = pathname.toLowerCase().replace(/\/+$/, '')
  const to = path === '/groups' ? '/accounts' : path
  return DOORS.find((door) => door.to === to && !isOpen(me, door))
}
