import { type FormEvent, useRef, useState } from 'react'
import type { LinkAnswer, LinkReply, LinkView } from '~/api/types.ts'
import { useDraft } from '~/lib/draft.ts'
import { fromWall, reading, toWall, zoneName } from '~/lib/time.ts'
import { LinkTrouble, reply } from './api.ts'
import { GuestTrouble } from './Closed.tsx'
import { Help } from './Help.tsx'

const CHOICES: [LinkReply, string, string][] = [
  ['have', 'I have it', 'I can send it from here.'],
  ['part', 'I have part of it', 'Some of it is there.'],
  ['nothing', 'Nothing there', 'It was off, it looks elsewhere, or it is overwritten.'],
  ['no', 'I would rather not', 'That is fine. You need not say why.'],
]

export function AnswerStep({ token, link, onBack, onChanged, onAnswered }: { token: string; link: LinkView; onBack: () => void; onChanged: () => void; onAnswered: (link: LinkView) => void }) {
  const zone = link.time_zone
  const [choice, setChoice] = useState<LinkReply | null>(link.answer)
  const [from, setFrom] = useState(link.from ? toWall(link.from, zone) : '')
  const [to, setTo] = useState(link.to ? toWall(link.to, zone) : '')
  const [shown, setShown] = useState({ text: '', at: '' })
  const [left, setLeft] = useState(false)
  const clock = useRef<HTMLInputElement>(null)
  // A page that is loaded anew, as telephones do, has the words again.
  const { value: comment, change: setComment, forget } = useDraft(`answer ${token}`, () => '')
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<LinkTrouble | null>(null)
  const sends = choice === 'have' || choice === 'part'
  const garbled = sends && shown.text.trim() !== '' && !reading(shown.text)

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (!choice) return
    if (garbled) { setLeft(true); clock.current?.focus(); return }
    // What the recorder shows is noted together with the true time of the moment in which it was typed.
    const note = sends && reading(shown.text) ? `The recorder showed ${reading(shown.text)} when it was ${shown.at.slice(0, 19)}Z.` : ''
    const body: LinkAnswer = { answer: choice, comment: [comment.trim(), note].filter(Boolean).join('\n') || undefined }
    if (choice === 'part') {
      body.from = fromWall(from, zone) ?? undefined
      body.to = fromWall(to, zone) ?? undefined
    }
    setBusy(true)
    setTrouble(null)
    try {
      const answered = await reply(token, body)
      forget('')
      onAnswered({ ...answered, answer: choice })
    } catch (error) {
      setTrouble(error instanceof LinkTrouble ? error : new LinkTrouble({ title: 'This page made a mistake' }, -1))
      onChanged()
    } finally {
      setBusy(false)
    }
  }
  return (
    <form className="g-stack" onSubmit={submit}>
      <h1 id="step-title" tabIndex={-1}>{link.from ? 'Do you have these minutes?' : 'Do you have video of this?'}</h1>
      <fieldset className="g-choices">
        <legend className="g-unseen">Your answer</legend>
        {CHOICES.map(([value, word, more]) => (
          <label key={value} data-on={choice === value}>
            <input type="radio" name="answer" value={value} checked={choice === value} onChange={() => setChoice(value)} />
            <span><strong>{word}</strong><span className="g-dim">{more}</span></span>
          </label>
        ))}
      </fieldset>
      {choice === 'part' && (
        <div className="g-two">
          <label className="g-field"><span>From <span className="g-dim">{zoneName(link.from ?? new Date(), zone)}</span></span><input type="datetime-local" step={1} required value={from} onChange={(e) => setFrom(e.currentTarget.value)} /></label>
          <label className="g-field"><span>To <span className="g-dim">{zoneName(link.to ?? new Date(), zone)}</span></span><input type="datetime-local" step={1} required value={to} onChange={(e) => setTo(e.currentTarget.value)} /></label>
        </div>
      )}
      {sends && (
        <>
          <label className="g-field">What does the recorder’s clock show right now? <span className="g-dim">If it is wrong, this tells by how much. Leave it empty if you cannot see it.</span>
            <input ref={clock} type="text" placeholder="21:05:40" value={shown.text} aria-invalid={left && garbled} aria-describedby={left && garbled ? 'garbled' : undefined}
              onChange={(e) => { setShown({ text: e.currentTarget.value, at: new Date().toISOString() }); setLeft(false) }} onBlur={() => setLeft(true)} /></label>
          {left && garbled && <p id="garbled" className="g-bad" role="alert">Write the time alone, like 21:05:40 or 9:05 pm. A date that is wrong goes under “Anything to add”.</p>}
          <Help />
        </>
      )}
      {choice && <label className="g-field">Anything to add <span className="g-dim">If you like</span><textarea rows={3} value={comment} onChange={(e) => setComment(e.currentTarget.value)} /></label>}
      {trouble && <GuestTrouble trouble={trouble} />}
      <div className="g-acts">
        <button type="submit" className="g-main" disabled={!choice || busy}>{busy ? 'Sending' : sends ? 'Go on to the files' : 'Send the answer'}</button>
        <button type="button" className="g-quiet" onClick={onBack}>Back</button>
      </div>
    </form>
  )
}
