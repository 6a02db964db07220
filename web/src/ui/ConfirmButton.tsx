import { Button, type ButtonProps, Popover } from '@mantine/core'
import { type ReactNode, useState } from 'react'

/** For what cannot be taken back: says what will happen, then asks once more. */
export function ConfirmButton({ label, question, verb, onConfirm, icon, ...more }: {
  label: string; question: ReactNode; verb: string; onConfirm: () => void; icon?: ReactNode
} & Omit<ButtonProps, 'onClick'>) {
  const [open, setOpen] = useState(false)
  return (
    <Popover opened={open} onChange={setOpen} position="bottom-end" shadow="md" width={280} trapFocus withinPortal>
      <Popover.Target>
        <Button variant="default" leftSection={icon} {...more} onClick={() => setOpen((o) => !o)}>{label}</Button>
      </Popover.Target>
      <Popover.Dropdown>
        <div className="stack">
          <p>{question}</p>
          <div className="row">
            <Button color="red" onClick={() => { setOpen(false); onConfirm() }}>{verb}</Button>
            <Button variant="default" onClick={() => setOpen(false)}>Keep</Button>
          </div>
        </div>
      </Popover.Dropdown>
    </Popover>
  )
}
