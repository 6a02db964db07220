import { useRef, useState } from 'react'
import { atHome, reading } from '~/lib/time.ts'
import { serverTime, view } from './api.ts'
import { clockLine } from './words.ts'

/** What the recorder's clock shows, noted with the true time of the moment in which it was typed. The server says what that is: the phone's clock may be as wrong as the recorder's. */
export function useClockField(token: string, sent: string | null) {
  const [typed, setTyped] = useState({ text: '', at: new Date(0) })
  const [kept, setKept] = useState(sent)
  const [left, setLeft] = useState(false)
  const input = useRef<HTMLInputElement>(null)
  const shown = reading(typed.text)
  return {
    typed, kept, left, input, garbled: typed.text.trim() !== '' && !shown,
    line: shown ? clockLine(shown, typed.at) : kept,
    type: (text: string) => { setTyped({ text, at: serverTime() }); setLeft(false) },
    leave: () => setLeft(true),
    forgetSent: () => setKept(null),
    look: () => { view(token).catch(() => undefined) },
    /** Whoever sends a time that is none is led back to it. */
    complain: () => { setLeft(true); input.current?.focus() },
  }
}

export function ClockField({ of: clock, zone }: { of: ReturnType<typeof useClockField>; zone: string }) {
  const wrong = clock.left && clock.garbled
  return (
    <>
      <label className="g-field">What does the recorder’s clock show right now? <span className="g-dim">If it is wrong, this tells by how much. Leave it empty if you cannot see it.</span>
        <input ref={clock.input} type="text" placeholder="21:05:40" value={clock.typed.text} aria-invalid={wrong} aria-describedby={wrong ? 'garbled' : undefined}
          onFocus={clock.look} onChange={(e) => clock.type(e.currentTarget.value)} onBlur={clock.leave} /></label>
      {wrong && <p id="garbled" className="g-bad" role="alert">Write the time alone, like 21:05:40 or 9:05 pm. A date that is wrong goes under “Anything to add”.</p>}
      {clock.kept && !reading(clock.typed.text) && (
        <div className="g-under"><span className="g-dim">You have told: {atHome(clock.kept, zone)}</span><button type="button" className="g-link" onClick={clock.forgetSent}>Take it back</button></div>
      )}
    </>
  )
}
