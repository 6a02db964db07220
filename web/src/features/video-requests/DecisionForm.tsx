import { Button, Checkbox, SegmentedControl, Textarea } from '@mantine/core'
import { type FormEvent, type KeyboardEvent, useState } from 'react'
import type { Item } from '~/api/types.ts'
import { useMe, useZone } from '~/features/session/me.ts'
import { useDraft } from '~/lib/draft.ts'
import { WindowField } from '~/ui/WindowField.tsx'
import type { Decision, ItemVerb } from './api.ts'
import './requests.css'

export type Choice = 'approve' | 'narrow' | 'ask' | 'deny' | 'answer' | 'unavailable'

const VERB: Record<Choice, string> = {
  approve: 'Approve', narrow: 'Approve these minutes', ask: 'Ask the question', deny: 'Deny', answer: 'Send the answer', unavailable: 'Say there is nothing',
}
const LABEL: Record<Choice, string> = {
  approve: 'Comment', narrow: 'Comment', ask: 'What do you need to know', deny: 'Why not', answer: 'Your answer', unavailable: 'Comment',
}

/** What a decision takes with it: minutes, what the requester may do with it, a word. */
export function DecisionForm({ choice, items, onDecide, onClose }: { choice: Choice; items: Item[]; onDecide: (verb: ItemVerb, body: Decision) => void; onClose: () => void }) {
  const zone = useZone()
  const me = useMe()
  const first = items[0]
  const { value: text, change: setText, forget } = useDraft(`${choice} ${me.account.id} ${items.map((item) => item.id).join()}`, () => '')
  const [level, setLevel] = useState<'view' | 'download'>('download')
  const [review, setReview] = useState(first?.review_before_release ?? false)
  const [window, setWindow] = useState({ from: first?.from ?? '', to: first?.to ?? '' })
  const speaks = choice === 'ask' || choice === 'answer'
  const grants = choice === 'approve' || choice === 'narrow'
  const outside = choice === 'narrow' && first && (window.from < first.from || window.to > first.to || window.from >= window.to)

  function submit(event: FormEvent) {
    event.preventDefault()
    if (speaks) {
      onDecide(choice, { body: text.trim() })
      return forget('')
    }
    const comment = text.trim() || undefined
    if (!grants) return onDecide(choice as ItemVerb, { comment })
    onDecide('approve', { comment, level, review_before_release: review, ...(choice === 'narrow' ? window : {}) })
  }
  function keys(event: KeyboardEvent<HTMLFormElement>) {
    if (event.key === 'Escape') onClose()
    else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) event.currentTarget.requestSubmit()
    else return
    event.preventDefault()
    event.stopPropagation()
  }
  return (
    <form className="stack wide decision" onSubmit={submit} onKeyDown={keys}>
      {choice === 'narrow' && (
        <WindowField {...window} zone={zone} longest={me.installation.longest_window_seconds} quick={false} onChange={(from, to) => setWindow({ from, to })}
          error={outside ? 'The minutes must lie inside those that were asked for.' : undefined} />
      )}
      {grants && (
        <div className="row wrap" style={{ gap: 16 }}>
          <SegmentedControl aria-label="What the requester may do" value={level} onChange={(v) => setLevel(v as 'view' | 'download')}
            data={[{ value: 'download', label: 'May download' }, { value: 'view', label: 'View only' }]} />
          <Checkbox label="Let me look before release" checked={review} onChange={(e) => setReview(e.currentTarget.checked)} />
        </div>
      )}
      <Textarea label={LABEL[choice]} required={speaks} withAsterisk={false} autoFocus={choice !== 'approve'} value={text} onChange={(e) => setText(e.currentTarget.value)} />
      <div className="row">
        <Button type="submit" autoFocus={choice === 'approve'} color={choice === 'deny' ? 'red' : undefined} disabled={!!outside}>{VERB[choice]}</Button>
        <Button variant="default" onClick={onClose}>Not now</Button>
      </div>
    </form>
  )
}
