import { useEffect, useRef, useState } from 'react'

const typing = (event: KeyboardEvent) =>
  event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement).closest('input, textarea, select, [contenteditable], [role=dialog]') !== null

/** Single keys for what is done most; silent while somebody types or a sheet is open. */
export function useKeys(keys: Record<string, (event: KeyboardEvent) => void>, on = true) {
  const held = useRef(keys)
  held.current = keys
  useEffect(() => {
    if (!on) return
    const press = (event: KeyboardEvent) => {
      if (typing(event)) return
      const act = held.current[event.key]
      if (!act) return
      if (event.key === 'Enter' && (event.target as HTMLElement).closest('a, button')) return
      event.preventDefault()
      act(event)
    }
    addEventListener('keydown', press)
    return () => removeEventListener('keydown', press)
  }, [on])
}

/** j and k walk the rows, Enter opens the one they stand on. */
export function useRowKeys(count: number, open: (index: number) => void): [number, (index: number) => void] {
  const [at, setAt] = useState(-1)
  const move = (by: number) => {
    setAt((now) => {
      const next = Math.max(0, Math.min(count - 1, now + by))
      requestAnimationFrame(() => document.querySelector('[data-at="true"]')?.scrollIntoView({ block: 'nearest' }))
      return next
    })
  }
  useKeys({ j: () => move(1), k: () => move(-1), Enter: () => at >= 0 && open(at) })
  return [at, setAt]
}
