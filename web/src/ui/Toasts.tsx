import { ActionIcon, Button } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconX } from '@tabler/icons-react'
import { useSyncExternalStore } from 'react'
import { asTrouble } from '~/api/problem.ts'

interface Toast { id: number; text: string; detail?: string; bad?: boolean; undo?: () => void; now?: () => void }
let toasts: Toast[] = []
let next = 1
const subs = new Set<() => void>()
function set(list: Toast[]) {
  toasts = list
  for (const sub of subs) sub()
}
const drop = (id: number) => set(toasts.filter((t) => t.id !== id))

export function tell(text: string) {
  const id = next++
  set([...toasts, { id, text }])
  setTimeout(() => drop(id), 3500)
}

export function tellTrouble(error: unknown) {
  const trouble = asTrouble(error)
  const id = next++
  set([...toasts, { id, text: trouble.message, detail: [trouble.detail, trouble.advice].filter(Boolean).join(' '), bad: true }])
  setTimeout(() => drop(id), 12_000)
}

/**
 * Holds an action back for five seconds, in which it can be taken back. Leaving the page sends it.
 */
export function later(text: string, act: () => Promise<unknown>, undone?: () => void) {
  const id = next++
  let over = false
  const send = () => {
    if (over) return
    over = true
    clearTimeout(timer)
    removeEventListener('pagehide', send)
    drop(id)
    act().catch((error) => { tellTrouble(error); undone?.() })
  }
  const timer = setTimeout(send, 5000)
  addEventListener('pagehide', send)
  const undo = () => {
    over = true
    clearTimeout(timer)
    removeEventListener('pagehide', send)
    drop(id)
    undone?.()
  }
  set([...toasts, { id, text, undo, now: send }])
}

export function Toasts() {
  const list = useSyncExternalStore((sub) => { subs.add(sub); return () => subs.delete(sub) }, () => toasts)
  return (
    <div className="toasts" role="status" aria-live="polite">
      {list.map((toast) => (
        <div className="toast" key={toast.id}>
          {toast.bad ? <IconAlertTriangle size={18} className="tone-bad" aria-hidden /> : <IconCheck size={18} className="tone-good" aria-hidden />}
          <div className="grow">
            <div>{toast.text}</div>
            {toast.detail && <div className="dim small">{toast.detail}</div>}
          </div>
          {toast.now && <Button variant="subtle" color="gray" onClick={toast.now}>Send now</Button>}
          {toast.undo && <Button variant="default" onClick={toast.undo}>Take back</Button>}
          {!toast.undo && <ActionIcon aria-label="Dismiss" onClick={() => drop(toast.id)}><IconX size={16} /></ActionIcon>}
          {toast.undo && <span className="left" />}
        </div>
      ))}
    </div>
  )
}
