import { Button } from '@mantine/core'
import { addSeconds, duration, seconds } from '~/lib/time.ts'
import { DateTimeField } from './DateTimeField.tsx'

/** From and to, and the few steps that are taken most. */
export function WindowField({ from, to, onChange, zone, longest, error, quick = true }: {
  from: string; to: string; onChange: (from: string, to: string) => void; zone: string; longest?: number; error?: string; quick?: boolean
}) {
  const length = seconds(from, to)
  const wrong = error ?? (length <= 0 ? 'The window ends before it begins.' : longest && length > longest ? `The longest window is ${duration(longest * 1000)}; this one is ${duration(length * 1000)}.` : undefined)
  const last = (minutes: number) => {
    const now = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString()
    onChange(addSeconds(now, -60 * minutes), now)
  }
  return (
    <div className="stack">
      <div className="fields">
        <DateTimeField label="From" zone={zone} value={from} onChange={(at) => at && onChange(at, length > 0 && at >= to ? addSeconds(at, length) : to)} />
        <DateTimeField label="To" zone={zone} value={to} onChange={(at) => at && onChange(from, at)} error={wrong} />
      </div>
      {longest && length > longest && <Button style={{ alignSelf: 'flex-start' }} variant="default" onClick={() => onChange(from, addSeconds(from, longest))}>Shorten it to the first {duration(longest * 1000)}</Button>}
      {quick && (
        <div className="chips">
          {[2, 10, 30].map((m) => <button key={m} type="button" className="chip" onClick={() => last(m)}>Last {m} min</button>)}
          <button type="button" className="chip" onClick={() => onChange(addSeconds(from, -60), to)}>1 min earlier</button>
          <button type="button" className="chip" onClick={() => onChange(from, addSeconds(to, 60))}>1 min later</button>
          {length > 0 && <span className="dim small" style={{ alignSelf: 'center' }}>{duration(length * 1000)} long</span>}
        </div>
      )}
    </div>
  )
}
