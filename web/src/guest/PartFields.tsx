import { useState } from 'react'
import { bothOf, clock, momentOf, onLimit, toWall, zoneName } from '~/lib/time.ts'

/** From when to when somebody has footage. */
export function PartFields({ from, to, zone, onChange }: { from: string | null; to: string | null; zone: string; onChange: (from: string | null, to: string | null) => void }) {
  return (
    <div className="g-two">
      <Moment label="From" at={from} zone={zone} onChange={(at) => onChange(at, to)} />
      <Moment label="To" at={to} zone={zone} onChange={(at) => onChange(from, at)} />
    </div>
  )
}

/** A moment as the clocks there show it; where they are set back, with which of both is meant. */
function Moment({ label, at, zone, onChange }: { label: string; at: string | null; zone: string; onChange: (at: string | null) => void }) {
  const [text, setText] = useState(at ? toWall(at, zone) : '')
  const both = bothOf(text, zone)
  return (
    <div className="g-field">
      <label className="g-field"><span>{label} <span className="g-dim">{zoneName(at ?? new Date(), zone)}</span></span>
        <input type="datetime-local" step={1} required value={text} onChange={(e) => { setText(e.currentTarget.value); onChange(momentOf(e.currentTarget.value, zone, at)) }} /></label>
      {both && (
        <label className="g-field"><span className="g-dim">The clocks are set back: this time is there twice. Which do you mean?</span>
          <select value={both.find((moment) => at && onLimit(moment, at) === at) ?? ''} onChange={(e) => onChange(e.currentTarget.value)}>
            {both.map((moment, i) => <option key={moment} value={moment}>The {i === 0 ? 'first' : 'second'}, {clock(moment, zone)} {zoneName(moment, zone)}</option>)}
          </select></label>
      )}
    </div>
  )
}
