import { Button, Textarea } from '@mantine/core'
import { IconGavel, IconHelpCircle, IconMessage, IconMessageReply } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { FormEvent } from 'react'
import { useOnce } from '~/api/once.ts'
import type { VideoRequest } from '~/api/types.ts'
import { useMe } from '~/features/session/me.ts'
import { useDraft } from '~/lib/draft.ts'
import { TroubleNote } from '~/ui/Notes.tsx'
import { Ago } from '~/ui/Time.tsx'
import { tell } from '~/ui/Toasts.tsx'
import { commentRequest } from './api.ts'
import { whatSource } from './words.ts'

const KINDS = { comment: { icon: IconMessage, word: '' }, question: { icon: IconHelpCircle, word: 'asks' }, answer: { icon: IconMessageReply, word: 'answers' }, decision: { icon: IconGavel, word: 'decided' } } as const

export function Thread({ request }: { request: VideoRequest }) {
  const queries = useQueryClient()
  const me = useMe()
  const { value: text, change: setText, forget } = useDraft(`comment ${me.account.id} ${request.id}`, () => '')
  const write = useOnce(commentRequest(request.id))
  const send = useMutation({
    mutationFn: () => write(text.trim()),
    onSuccess: ({ earlier }) => {
      if (earlier) tell('Your comment had arrived as you wrote it first. What stands in the field is not sent.')
      else forget('')
      void queries.invalidateQueries({ queryKey: ['video-requests', 'one', request.id] })
    },
  })
  const submit = (event: FormEvent) => { event.preventDefault(); if (text.trim()) send.mutate() }
  return (
    <section className="stack wide" aria-label="Thread">
      <h2>Thread</h2>
      {request.thread.length === 0 && <p className="dim">Nothing has been said yet.</p>}
      <div className="thread">
        {request.thread.map((message) => {
          const kind = KINDS[message.kind] ?? KINDS.comment
          const item = request.items.find((i) => i.id === message.item_id)
          return (
            <div key={message.id} className={`message ${message.kind}`}>
              <kind.icon size={16} aria-hidden />
              <div className="grow">
                <div className="small"><strong>{message.author?.name ?? 'Sightline'}</strong> {kind.word} <span className="dim">{item && `· ${whatSource(item)} `}· <Ago at={message.created_at} /></span></div>
                <div className="body">{message.body}</div>
              </div>
            </div>
          )
        })}
      </div>
      {request.allowed_actions.includes('comment') && (
        <form className="stack" onSubmit={submit}>
          <Textarea aria-label="Comment" placeholder="Write a comment" value={text} onChange={(e) => setText(e.currentTarget.value)} />
          {send.error && <TroubleNote error={send.error} />}
          <div><Button type="submit" variant="default" loading={send.isPending} disabled={!text.trim()}>Comment</Button></div>
        </form>
      )}
    </section>
  )
}
