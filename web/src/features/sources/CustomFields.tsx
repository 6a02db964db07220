import { ActionIcon, Button, TextInput } from '@mantine/core'
import { IconPlus, IconX } from '@tabler/icons-react'
import { useEffect, useRef, useState } from 'react'

type Row = [name: string, value: string]

/** What fits in no other field: names and values, as many as there are. */
export function CustomFields({ start, onChange, error }: { start: Record<string, string>; onChange: (custom: Record<string, string>) => void; error?: string }) {
  const [rows, setRows] = useState<Row[]>(Object.entries(start))
  const add = useRef<HTMLButtonElement>(null)
  const count = useRef(rows.length)
  // Each row pushes the button under the foot of the sheet.
  useEffect(() => {
    if (rows.length > count.current) add.current?.scrollIntoView({ block: 'center' })
    count.current = rows.length
  }, [rows.length])
  function put(next: Row[]) {
    setRows(next)
    onChange(Object.fromEntries(next))
  }
  const set = (at: number, row: Row) => put(rows.map((old, i) => (i === at ? row : old)))
  function remove(at: number) {
    put(rows.filter((_, i) => i !== at))
    add.current?.focus()
  }
  const twice = (at: number) => rows.some(([name], i) => i < at && name.trim() === rows[at]?.[0].trim())
  return (
    <fieldset className="stack">
      <legend><h3>Further fields</h3></legend>
      {rows.map(([name, value], i) => (
        <div className="pair" key={String(i)}>
          {/* Without a name, or with one that is there already, a value would be lost: the browser does not send the form. */}
          <TextInput aria-label="Name of the field" placeholder="Name" required autoFocus={!name && i === rows.length - 1} value={name} error={twice(i) && 'There is a field of this name.'}
            ref={(input) => input?.setCustomValidity(twice(i) ? 'There is a field of this name.' : '')} onChange={(e) => set(i, [e.currentTarget.value, value])} />
          <TextInput aria-label={`Value of ${name || 'the field'}`} placeholder="Value" value={value} onChange={(e) => set(i, [name, e.currentTarget.value])} />
          <ActionIcon aria-label={`Remove ${name || 'the field'}`} onClick={() => remove(i)}><IconX size={16} /></ActionIcon>
        </div>
      ))}
      {error && <span className="small tone-bad" role="alert">{error}</span>}
      <div><Button ref={add} variant="subtle" leftSection={<IconPlus size={14} />} onClick={() => put([...rows, ['', '']])}>{rows.length > 0 ? 'Another field' : 'A field of your own'}</Button></div>
    </fieldset>
  )
}
