import { SegmentedControl, TextInput } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import { bothOf, momentOf, toWall, zoneName } from '~/lib/time.ts'

/**
 * A moment, typed as the clocks of a zone show it; in the hour that occurs twice, with which of both is meant. Emptied it says that a time is wanted, unless it is `clearable`; half a time never
 * counts. The browser keeps the form from being sent meanwhile, so the field has to be in one.
 */
export function DateTimeField({ label, value, onChange, zone, error, clearable, description }: {
  label: string; value: string | null; onChange: (value: string | null) => void; zone: string; error?: ReactNode; clearable?: boolean; description?: ReactNode
}) {
  const [text, setText] = useState(value ? toWall(value, zone) : '')
  const [half, setHalf] = useState(false)
  useEffect(() => {
    setText((now) => (value && momentOf(now, zone, value) === new Date(value).toISOString() ? now : value ? toWall(value, zone) : ''))
    setHalf(false)
  }, [value, zone])
  function read(input: HTMLInputElement) {
    setText(input.value)
    setHalf(input.validity.badInput)
    const at = input.value ? momentOf(input.value, zone, value) : null
    if (at || (clearable && !input.validity.badInput)) onChange(at)
  }
  const missing = half || (!text && !clearable)
  const both = value ? bothOf(toWall(value, zone), zone) : null
  const field = (
    <TextInput
      type="datetime-local"
      step={1}
      required={!clearable}
      withAsterisk={false}
      label={<>{label} <span className="dim" style={{ fontWeight: 400 }}>{value ? zoneName(value, zone) : zoneName(new Date(), zone)}</span></>}
      value={text}
      error={missing ? 'Give the day and the time.' : error}
      description={description}
      onChange={(event) => read(event.currentTarget)}
      // The last part of a time that is taken away changes nothing that the browser tells.
      onBlur={(event) => { if (!event.currentTarget.value) read(event.currentTarget) }}
    />
  )
  return (
    <div className="stack" style={{ gap: 6 }}>
      {field}
      {both && value && (
        <div className="stack" style={{ gap: 2 }}>
          <span className="small dim">The clocks are set back: this time is there twice.</span>
          <SegmentedControl aria-label={`Which of both: ${label}`} value={zoneName(value, zone)} onChange={(name) => onChange(both.find((at) => zoneName(at, zone) === name) ?? null)}
            data={both.map((at, i) => ({ value: zoneName(at, zone), label: `${i === 0 ? 'First' : 'Second'}, ${zoneName(at, zone)}` }))} />
        </div>
      )}
    </div>
  )
}
