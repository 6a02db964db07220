import { ActionIcon, Drawer } from '@mantine/core'
import { IconX } from '@tabler/icons-react'
import { type ReactNode, useEffect, useState } from 'react'

/** A side sheet: over the page, closed with Escape. */
export function Sheet({ opened, onClose, title, under, foot, size = 460, children }: {
  opened: boolean; onClose: () => void; title: ReactNode; under?: ReactNode; foot?: ReactNode; size?: number; children: ReactNode
}) {
  // A sheet is unmounted, not closed: what had the focus before gets it back here.
  const [before] = useState(() => document.activeElement)
  useEffect(() => () => { if (before instanceof HTMLElement && before.isConnected) before.focus() }, [before])
  return (
    <Drawer.Root opened={opened} onClose={onClose} size={size} position="right" className="sheet">
      <Drawer.Overlay backgroundOpacity={0.18} />
      <Drawer.Content>
        <Drawer.Body>
          <div className="sheet-head">
            <div className="grow">
              <Drawer.Title className="sheet-title">{title}</Drawer.Title>
              {under && <div className="dim small">{under}</div>}
            </div>
            <ActionIcon onClick={onClose} aria-label="Close"><IconX size={18} /></ActionIcon>
          </div>
          <div className="sheet-body">{children}</div>
          {foot && <div className="sheet-foot">{foot}</div>}
        </Drawer.Body>
      </Drawer.Content>
    </Drawer.Root>
  )
}
