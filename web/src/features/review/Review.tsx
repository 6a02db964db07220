import { IconChecks } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { requestList } from '~/features/video-requests/api.ts'
import { plural } from '~/lib/format.ts'
import { useKeys } from '~/lib/keys.ts'
import { More } from '~/ui/More.tsx'
import { Empty, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { ReviewCard } from './ReviewCard.tsx'
import './review.css'

export type ReviewKey = 'a' | 'n' | 'q' | 'd'

/** The inbox of those who decide: most urgent first, one look per card, four keys. */
export function Review() {
  const query = useInfiniteQuery(requestList({ reviewable: true, sort: 'overwrite_at' }))
  const heads = query.data?.pages.flatMap((p) => p.items) ?? []
  const total = query.data?.pages[0]?.total ?? heads.length
  const [at, setAt] = useState(0)
  const [pressed, setPressed] = useState<{ key: ReviewKey; n: number } | null>(null)
  const presses = useRef(0)
  const move = (by: number) => {
    const next = Math.max(0, Math.min(heads.length - 1, at + by))
    setAt(next)
    setPressed(null)
    document.getElementById(`card-${heads[next]?.id}`)?.scrollIntoView({ block: 'nearest' })
  }
  const press = (key: ReviewKey) => () => { presses.current += 1; setPressed({ key, n: presses.current }) }
  useKeys({ j: () => move(1), k: () => move(-1), a: press('a'), n: press('n'), q: press('q'), d: press('d') })
  return (
    <Page title="Review" narrow under={heads.length > 0 && <span className="row wrap"><span>{plural(total, 'request')} to decide, what dies first is on top.</span>
      <span className="small keys-hint"><span className="kbd">j</span> <span className="kbd">k</span> move · <span className="kbd">a</span> approve · <span className="kbd">n</span> narrow · <span className="kbd">q</span> ask · <span className="kbd">d</span> deny</span></span>}>
      {query.error ? <TroubleNote error={query.error} retry={() => query.refetch()} /> : query.isPending ? <div className="panel"><RowsToCome rows={3} height={160} /></div> : heads.length === 0 ? (
        <div className="panel"><Empty icon={IconChecks} title="Nothing waits for you">Requests for cameras of your organization appear here, the most urgent first.</Empty></div>
      ) : (
        <ul className="cards">
          {heads.map((head, i) => <ReviewCard key={head.id} head={head} current={i === at} pressed={i === at ? pressed : null} onFocus={() => setAt(i)} />)}
        </ul>
      )}
      <More query={query} />
    </Page>
  )
}
