import { IconChecks } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { requestList } from '~/features/video-requests/api.ts'
import { plural } from '~/lib/format.ts'
import { useKeys } from '~/lib/keys.ts'
import { More } from '~/ui/More.tsx'
import { Empty, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { focusCard, ReviewCard } from './ReviewCard.tsx'
import './review.css'

export type ReviewKey = 'a' | 'n' | 'q' | 'd'
/** A key that was pressed, and for which card: it must not open the next one when that takes its place. */
export type Pressed = { key: ReviewKey; on: string }

/** The inbox of those who decide: most urgent first, one look per card, four keys. */
export function Review() {
  const query = useInfiniteQuery(requestList({ reviewable: true, sort: 'overwrite_at' }))
  const heads = query.data?.pages.flatMap((p) => p.items) ?? []
  const total = query.data?.pages[0]?.total ?? heads.length
  const [current, setCurrent] = useState<string | null>(null)
  const [pressed, setPressed] = useState<Pressed | null>(null)
  const last = useRef(0)
  // A card that was decided leaves the list; the one that takes its place is the current one.
  const found = heads.findIndex((head) => head.id === current)
  const at = found >= 0 ? found : Math.max(0, Math.min(last.current, heads.length - 1))
  last.current = at
  const turnTo = (id: string) => {
    if (id !== heads[at]?.id) setPressed(null)
    setCurrent(id)
  }
  const move = (by: number) => {
    const next = heads[Math.max(0, Math.min(heads.length - 1, at + by))]
    if (next) focusCard(next.id)
  }
  const press = (key: ReviewKey) => () => { const on = heads[at]; if (on) setPressed({ key, on: on.id }) }
  useKeys({ j: () => move(1), k: () => move(-1), a: press('a'), n: press('n'), q: press('q'), d: press('d') })
  return (
    <Page title="Review" narrow under={heads.length > 0 && <span className="row wrap"><span>{plural(total, 'request')} to decide, what dies first is on top.</span>
      <span className="small keys-hint"><span className="kbd">j</span> <span className="kbd">k</span> move · <span className="kbd">a</span> approve · <span className="kbd">n</span> narrow · <span className="kbd">q</span> ask · <span className="kbd">d</span> deny</span></span>}>
      {query.error ? <TroubleNote error={query.error} retry={() => query.refetch()} /> : query.isPending ? <div className="panel"><RowsToCome rows={3} height={160} /></div> : heads.length === 0 ? (
        <div className="panel"><Empty icon={IconChecks} title="Nothing waits for you">Requests for cameras of your organization appear here, the most urgent first.</Empty></div>
      ) : (
        <ul className="cards">
          {heads.map((head, i) => <ReviewCard key={head.id} head={head} next={heads[i + 1]} current={i === at} pressed={pressed?.on === head.id ? pressed : null} onFocus={() => turnTo(head.id)} />)}
        </ul>
      )}
      <More query={query} />
    </Page>
  )
}
