import { Button } from '@mantine/core'
import { IconAlertTriangle } from '@tabler/icons-react'
import type { ChosenSet } from '~/features/sources/Chosen.tsx'
import { plural } from '~/lib/format.ts'

/** Chosen cameras that are not here: they are waited for, or somebody decides what is asked without them. */
export function NotLoaded({ of: { ids, lost, coming, again, leaveOut } }: { of: ChosenSet }) {
  if (coming > 0) return <p className="small dim" role="status">Loading {plural(coming, 'chosen camera')}. The request can be sent when {coming === 1 ? 'it is' : 'they are'} here.</p>
  if (lost.length === 0) return null
  const rest = ids.size - lost.length
  const one = lost.length === 1
  const gone = lost.every((camera) => camera.gone)
  const names = lost.flatMap(({ name }) => name ?? [])
  return (
    <div className="note bad" role="alert">
      <IconAlertTriangle size={18} aria-hidden />
      <div className="stack" style={{ gap: 4 }}>
        <strong>{rest > 0 ? `${lost.length} of the ${ids.size} chosen cameras` : one ? 'The chosen camera' : `The ${lost.length} chosen cameras`} {gone ? (one ? 'is not there any more' : 'are not there any more') : 'could not be loaded'}</strong>
        {names.length > 0 && <span>{names.join(', ')}</span>}
        <span>{gone ? `${one ? 'It was' : 'They were'} removed, or ${one ? 'is' : 'are'} not shared with you any more.` : 'The server did not tell what they are.'} Nothing is sent until you decide.</span>
        <div className="row wrap">
          {!gone && <Button variant="default" onClick={again}>Try again</Button>}
          <Button variant="default" onClick={() => leaveOut(lost.map(({ id }) => id))}>{rest > 0 ? `Leave ${one ? 'it' : 'them'} out` : 'Ask for the place, without a camera'}</Button>
        </div>
      </div>
    </div>
  )
}
