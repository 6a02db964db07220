import { Button, Checkbox, SegmentedControl, Textarea } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, type KeyboardEvent, useState } from 'react'
import { sendOnceAs } from '~/api/once.ts'
import type { Item } from '~/api/types.ts'
import { useMe, useZone } from '~/features/session/me.ts'
import { useDraft } from '~/lib/draft.ts'
import { onLimit } from '~/lib/time.ts'
import { TroubleNote } from '~/ui/Notes.tsx'
import { tell } from '~/ui/Toasts.tsx'
import { WindowField } from '~/ui/WindowField.tsx'
import { actOnItem, type Decision, type ItemVerb } from './api.ts'
import { keep } from './decide.ts'
import './requests.css'

export type Choice = 'approve' | 'narrow' | 'ask' | 'deny' | 'answer' | 'unavailable'

const VERB: Record<Choice, string> = {
  approve: 'Approve', narrow: 'Approve these minutes', ask: 'Ask the question', deny: 'Deny', answer: 'Send the answer', unavailable: 'Say there is nothing',
}
const LABEL: Record<Choice, string> = {
  approve: 'Comment', narrow: 'Comment', ask: 'What do you need to know', deny: 'Why not', answer: 'Your answer', unavailable: 'Comment',
}

interface Props {
  choice: Choice
  items: Item[]
  /** A decision, which is held back; whoever sends it says when it was accepted. */
  onDecide: (verb: ItemVerb, body: Decision, onSent: () => void) => void
  /** A question or an answer was accepted. */
  onSaid: () => void
  onClose: () => void
}

/** What a decision takes with it: minutes, what the requester may do with it, a word. The words are kept until the server has them. */
export function DecisionForm({ choice, items, onDecide, onSaid, onClose }: Props) {
  const queries = useQueryClient()
  const zone = useZone()
  const me = useMe()
  // What is shown may change below an open form; what is written in it stays with what it was begun for.
  const [about] = useState(items)
  const first = about[0]
  const name = `${choice} ${me.account.id} ${about.map((item) => item.id).join()}`
  const { value: text, change: setText, forget } = useDraft(name, () => '')
  const [level, setLevel] = useState<'view' | 'download'>('download')
  const [review, setReview] = useState(first?.review_before_release ?? false)
  const [window, setWindow] = useState({ from: first?.from ?? '', to: first?.to ?? '' })
  const speaks = choice === 'ask' || choice === 'answer'
  const grants = choice === 'approve' || choice === 'narrow'
  const outside = choice === 'narrow' && first && (window.from < first.from || window.to > first.to || window.from >= window.to)

  const say = useMutation({
    mutationFn: (verb: 'ask' | 'answer') => sendOnceAs(name, (body: string, key) => actOnItem(first?.id ?? '', verb, { body }, key))(text.trim()),
    onSuccess: ({ made, earlier }) => {
      keep(queries, made)
      if (earlier) return tell('Your words had arrived as you wrote them first. What stands in the field is not sent.')
      forget('')
      onSaid()
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    const sent = () => forget('')
    if (speaks) return say.mutate(choice)
    const comment = text.trim() || undefined
    if (!grants) return onDecide(choice as ItemVerb, { comment }, sent)
    onDecide('approve', { comment, level, review_before_release: review, ...(choice === 'narrow' ? window : {}) }, sent)
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
        <WindowField {...window} zone={zone} longest={me.installation.longest_window_seconds} quick={false} onChange={(from, to) => setWindow({ from: onLimit(from, first?.from), to: onLimit(to, first?.to) })}
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
      {say.error && <TroubleNote error={say.error} />}
      <div className="row">
        <Button type="submit" loading={say.isPending} autoFocus={choice === 'approve'} color={choice === 'deny' ? 'red' : undefined} disabled={!!outside}>{VERB[choice]}</Button>
        <Button variant="default" onClick={onClose}>Not now</Button>
      </div>
    </form>
  )
}
