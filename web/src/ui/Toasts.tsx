import { ActionIcon, Button } from '@mantine/core'
import { IconAlertTriangle, IconCheck, IconX } from '@tabler/icons-react'
import { useSyncExternalStore } from 'react'
import { asTrouble, type Trouble } from '~/api/problem.ts'

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

/** Trouble stays until it is dismissed; the same trouble stands there once. */
function bad(text: string, detail: string) {
  const others = toasts.filter((t) => t.text !== text || t.detail !== detail)
  set([...others, { id: next++, text, detail, bad: true }])
}
const adviceOn = (trouble: Trouble) => [trouble.detail, trouble.advice].filter(Boolean).join(' ')

export function tellTrouble(error: unknown) {
  const trouble = asTrouble(error)
  bad(trouble.message, adviceOn(trouble))
}

/** What is held back or on its way: each sends itself now, and says whether that went well. */
const waiting = new Set<() => Promise<boolean>>()

/** Sends all that is held back. False where something could not be sent: then that is told. */
export const sendAll = async () => (await Promise.all([...waiting].map((send) => send()))).every(Boolean)

/** What was told to one person is not for the next one at this browser. */
export const forgetToasts = () => set([])

const failed = (text: string) => `Not done: ${text}`

/**
 * Holds an action back for five seconds, in which it can be taken back. Leaving the page sends it.
 */
export function later(text: string, act: () => Promise<unknown>, undone?: () => void) {
  const id = next++
  let sent: Promise<boolean> | null = null
  const end = () => {
    clearTimeout(timer)
    removeEventListener('pagehide', send)
    drop(id)
  }
  async function go() {
    end()
    try {
      await act()
      return true
    } catch (error) {
      const trouble = asTrouble(error)
      bad(failed(text), `${trouble.message}. ${adviceOn(trouble)}`)
      undone?.()
      return false
    } finally {
      waiting.delete(send)
    }
  }
  const send = () => (sent ??= go())
  const undo = () => {
    end()
    waiting.delete(send)
    undone?.()
  }
  const timer = setTimeout(send, 5000)
  addEventListener('pagehide', send)
  waiting.add(send)
  const again = toasts.filter((toast) => toast.text !== failed(text))
  set([...again, { id, text, undo, now: send }])
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
