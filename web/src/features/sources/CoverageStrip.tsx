import { Tooltip } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useZone } from '~/features/session/me.ts'
import { gapsIn } from '~/lib/coverage.ts'
import { addSeconds, clock, duration, seconds, zonedClock } from '~/lib/time.ts'
import { coverage } from './api.ts'
import './coverage.css'

/** What the recorder has around a window: covered time, gaps, and the window itself. */
export function CoverageStrip({ id, from, to, granted, ask = true }: { id: string; from: string; to: string; ask?: boolean; granted?: { from: string; to: string } | null }) {
  const zone = useZone()
  const [now] = useState(() => new Date().toISOString())
  const length = seconds(from, to)
  const margin = Math.max(60, length * 0.5)
  const start = addSeconds(from, -margin)
  const beyond = addSeconds(to, margin)
  const end = beyond > now && to < now ? now : beyond
  const usable = Number.isFinite(length) && length > 0 && length < 40 * 86_400
  const { data, isPending, isError } = useQuery({
    ...coverage(id, start, end, ask), enabled: usable,
    // A recorder with many files takes longer to say than the server waits; one that says nothing is asked ever more seldom.
    refetchInterval: ({ state }) => (state.data?.asks && !state.data.complete && state.dataUpdateCount < 8 ? 4_000 * 2 ** (state.dataUpdateCount - 1) : false),
  })
  if (!usable) return null
  const t0 = new Date(start).getTime()
  const whole = new Date(end).getTime() - t0
  const place = (a: string, b: string) => {
    const left = Math.max(0, (new Date(a).getTime() - t0) / whole)
    const right = Math.min(1, (new Date(b).getTime() - t0) / whole)
    return { left: `${left * 100}%`, width: `${Math.max(0, right - left) * 100}%` }
  }
  const known = data && (data.asked_at !== null || data.spans.length > 0)
  const gaps = known ? gapsIn(data.spans, from, to) : []
  const missing = gaps.reduce((sum, g) => sum + g.to - g.from, 0)
  const words = isPending ? 'Looking up what is recorded' : isError || !known ? 'What is recorded is not known'
    : gaps.length === 0 ? 'Recorded for the whole window'
      : data.asks && !data.complete && to < now ? 'Not all of it is known yet: the recorder is asked'
      : missing >= length * 1000 - 1 ? 'Nothing recorded in this window'
        : `${duration(missing)} of ${duration(length * 1000)} not recorded`
  const tone = !known ? 'dim' : gaps.length === 0 ? 'good' : 'wait'
  return (
    <div className="cover">
      <Tooltip label={`${clock(start, zone)} – ${zonedClock(end, zone)}`}>
        <div className={known ? 'cover-strip' : 'cover-strip vague'} aria-hidden>
          {data?.spans.map((span) => <i key={span.from} className="has" style={place(span.from, span.to)} />)}
          <i className="window" style={place(from, to)} />
          {granted && <i className="granted" style={place(granted.from, granted.to)} />}
        </div>
      </Tooltip>
      <span className={`small tone-${tone}`}>{words}</span>
    </div>
  )
}
