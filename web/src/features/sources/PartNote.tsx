import { Button } from '@mantine/core'
import { number, plural } from '~/lib/format.ts'
import type { Part } from './inView.ts'

const WORDS: Record<Part['state'], (part: Part) => string> = {
  coming: ({ here, total }) => `${number(here)} of ${plural(total, 'camera')} so far, the others are coming.`,
  too_many: ({ here, total }) => `Only ${number(here)} of ${plural(total, 'camera')}. Come nearer, or narrow the search.`,
  failed: ({ here, total }) => `Only ${number(here)} of ${plural(total, 'camera')}: the others did not arrive.`,
}

/** Stands on the map and above the list while either lacks cameras that match. */
export function PartNote({ part, where, unplaced = 0 }: { part: Part | null; where: 'map' | 'list'; unplaced?: number }) {
  if (!part && unplaced === 0) return null
  return (
    <div className={`part-note on-${where}`} role={where === 'map' ? 'note' : 'status'}>
      {part && <span>{WORDS[part.state](part)}</span>}
      {part && part.state !== 'coming' && <Button variant="subtle" size="compact-sm" onClick={part.more}>{part.state === 'failed' ? 'Try again' : 'Load more'}</Button>}
      {!part && <span>{plural(unplaced, 'camera')} without a position, in the list only.</span>}
    </div>
  )
}
