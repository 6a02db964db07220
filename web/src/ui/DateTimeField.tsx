import { TextInput } from '@mantine/core'
import { type ReactNode, useEffect, useState } from 'react'
import { fromWall, toWall, zoneName } from '~/lib/time.ts'

/** A moment, typed as the clocks of a zone show it. */
export function DateTimeField({ label, value, onChange, zone, error, clearable, description }: {
  label: string; value: string | null; onChange: (value: string | null) => void; zone: string; error?: ReactNode; clearable?: boolean; description?: ReactNode
}) {
  const [text, setText] = useState(value ? toWall(value, zone) : '')
  useEffect(() => {
    setText((now) => (value && fromWall(now, zone) === new Date(value).toISOString() ? now : value ? toWall(value, zone) : ''))
  }, [value, zone])
  return (
    <TextInput
      type="datetime-local"
      step={1}
      label={<>{label} <span className="dim" style={{ fontWeight: 400 }}>{value ? zoneName(value, zone) : zoneName(new Date(), zone)}</span></>}
      value={text}
      error={error}
      description={description}
      onChange={(event) => {
        const wall = event.currentTarget.value
        setText(wall)
        const at = wall ? fromWall(wall, zone) : null
        if (at || clearable) onChange(at)
      }}
    />
  )
}
