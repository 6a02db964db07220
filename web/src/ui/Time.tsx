import { Tooltip } from '@mantine/core'
import { useSyncExternalStore } from 'react'
import { useZone } from '~/features/session/me.ts'
import { duration, exactMoment, moment, relative, span, utc } from '~/lib/time.ts'

/** A moment in the installation's zone, in UTC on hover; `exact`: to the millisecond. */
export function Time({ at, seconds = false, exact = false }: { at: string; seconds?: boolean; exact?: boolean }) {
  const zone = useZone()
  return (
    <Tooltip label={utc(at)}>
      <time dateTime={at} className="num">{exact ? exactMoment(at, zone) : moment(at, zone, seconds)}</time>
    </Tooltip>
  )
}

/** "3 min ago", with the moment on hover. */
export function Ago({ at }: { at: string }) {
  const zone = useZone()
  useTick(30_000)
  return (
    <Tooltip label={`${moment(at, zone)} · ${utc(at)}`}>
      <time dateTime={at} className="num">{relative(at)}</time>
    </Tooltip>
  )
}

/** A window of footage with its length. */
export function Window({ from, to, length = true }: { from: string; to: string; length?: boolean }) {
  const zone = useZone()
  return (
    <Tooltip label={`${utc(from)} – ${utc(to)}`}>
      <span>
        <span className="num" style={{ whiteSpace: 'normal' }}>{span(from, to, zone)}</span>
        {length && <>{' '}<span className="dim num">· {duration(new Date(to).getTime() - new Date(from).getTime())}</span></>}
      </span>
    </Tooltip>
  )
}

/** The time left before the recorder overwrites; it warms as it runs out. */
export function DiesIn({ at, prefix = '' }: { at: string | null; prefix?: string }) {
  const zone = useZone()
  const now = useTick(at && new Date(at).getTime() - Date.now() < 3_600_000 ? 1000 : 30_000)
  if (!at) return <span className="dim">–</span>
  const left = new Date(at).getTime() - now
  const tone = left <= 0 ? 'off' : left < 6 * 3_600_000 ? 'bad' : left < 48 * 3_600_000 ? 'wait' : 'dim'
  return (
    <Tooltip label={`Overwritten ${moment(at, zone, false)} · ${utc(at)}`}>
      <span className={`num tone-${tone}`}>{left <= 0 ? 'overwritten' : `${prefix}${duration(left)}`}</span>
    </Tooltip>
  )
}

const listeners = new Map<number, { subs: Set<() => void>; now: number }>()
/** The time, renewed together for everyone who asks for the same pace. */
export function useTick(ms: number): number {
  return useSyncExternalStore(
    (notify) => {
      let beat = listeners.get(ms)
      if (!beat) {
        const made = { subs: new Set<() => void>(), now: Date.now() }
        listeners.set(ms, made)
        setInterval(() => {
          made.now = Date.now()
          for (const sub of made.subs) sub()
        }, ms)
        beat = made
      }
      beat.subs.add(notify)
      return () => beat.subs.delete(notify)
    },
    () => listeners.get(ms)?.now ?? startedAt,
  )
}
const startedAt = Date.now()
