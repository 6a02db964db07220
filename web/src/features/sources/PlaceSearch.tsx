import { CloseButton, Combobox, TextInput, useCombobox } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { IconCurrentLocation, IconMapPin } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import type { Place } from '~/api/types.ts'
import { coordinates } from '~/lib/format.ts'
import { parsePoint } from '~/lib/geo.ts'
import { places } from './api.ts'

/** A place by its name, a crossing ("5th & Main"), or a pair of numbers. */
export function PlaceSearch({ value, onPick, onClear }: { value: string; onPick: (place: Place) => void; onClear: () => void }) {
  const [text, setText] = useState(value)
  useEffect(() => setText(value), [value])
  const [asked] = useDebouncedValue(text, 200)
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() })
  const typed = parsePoint(text.replace(/\s*,\s*/, ','))
  const { data, isFetching } = useQuery({ ...places(asked), enabled: asked !== value && asked.trim().length > 1 && !typed })
  const found: Place[] = typed ? [{ name: coordinates(typed.lat, typed.lon), position: typed }] : text.trim().length > 1 ? (data ?? []) : []

  function pick(name: string) {
    const place = found.find((p) => p.name === name)
    if (!place) return
    setText(place.name)
    box.closeDropdown()
    onPick(place)
  }
  return (
    <Combobox store={box} onOptionSubmit={pick} withinPortal={false}>
      <Combobox.Target>
        <TextInput aria-label="Place" placeholder="Place, e.g. 5th & Main" leftSection={<IconMapPin size={16} aria-hidden />} value={text}
          onChange={(e) => { setText(e.currentTarget.value); box.openDropdown(); box.updateSelectedOptionIndex() }}
          onFocus={() => found.length > 0 && text !== value && box.openDropdown()}
          onBlur={() => box.closeDropdown()}
          onKeyDown={(e) => { if (e.key === 'Enter' && box.getSelectedOptionIndex() < 0 && found[0]) { e.preventDefault(); pick(found[0].name) } }}
          rightSection={text ? <CloseButton size="sm" aria-label="Clear place" onMouseDown={(e) => e.preventDefault()} onClick={() => { setText(''); onClear() }} /> : null} />
      </Combobox.Target>
      <Combobox.Dropdown hidden={found.length === 0 && (isFetching || text === value || text.trim().length < 2)}>
        <Combobox.Options aria-label="Places">
          {found.slice(0, 8).map((place) => (
            <Combobox.Option key={place.name + place.position.lat} value={place.name}>
              <span className="row"><IconCurrentLocation size={14} className="dim" aria-hidden />{place.name}</span>
            </Combobox.Option>
          ))}
          {found.length === 0 && <Combobox.Empty>No such place in the agency’s street layer</Combobox.Empty>}
        </Combobox.Options>
      </Combobox.Dropdown>
    </Combobox>
  )
}
