import { type FormEvent, useState } from 'react'
import type { LinkAnswer, LinkReply, LinkView } from '~/api/types.ts'
import { useDraft } from '~/lib/draft.ts'
import { LinkTrouble, reply } from './api.ts'
import { ClockField, useClockField } from './ClockField.tsx'
import { GuestTrouble } from './Closed.tsx'
import { Help } from './Help.tsx'
import { partOf, wrongPart } from './part.ts'
import { PartFields } from './PartFields.tsx'
import { apart, together } from './words.ts'

const CHOICES: [LinkReply, string, string][] = [
  ['have', 'I have it', 'I can send it from here.'],
  ['part', 'I have part of it', 'Some of it is there.'],
  ['nothing', 'Nothing there', 'It was off, it looks elsewhere, or it is overwritten.'],
  ['no', 'I would rather not', 'That is fine. You need not say why.'],
]

export function AnswerStep({ token, link, onBack, onChanged, onAnswered }: { token: string; link: LinkView; onBack: () => void; onChanged: () => void; onAnswered: (link: LinkView) => void }) {
  const zone = link.time_zone
  const [choice, setChoice] = useState<LinkReply | null>(link.answer)
  const [part, setPart] = useState({ from: link.part?.from ?? link.from, to: link.part?.to ?? link.to })
  // What was sent is there again, and stays unless it is changed.
  const [sent] = useState(() => apart(link.comment))
  const clock = useClockField(token, sent.clock)
  // A page that is loaded anew, as telephones do, has the words again.
  const { value: words, change: setWords, forget } = useDraft(`answer ${token}`, () => sent.words)
  const [busy, setBusy] = useState(false)
  const [trouble, setTrouble] = useState<LinkTrouble | null>(null)
  const [wrong, setWrong] = useState<string | null>(null)
  const sends = choice === 'have' || choice === 'part'
  const arrived = link.files.some((file) => file.finished)
  const refused = arrived && choice !== null && !sends

  async function submit(event: FormEvent) {
    event.preventDefault()
    if (!choice || refused) return
    if (sends && clock.garbled) return clock.complain()
    const mistake = choice === 'part' ? wrongPart(part, link) : null
    setWrong(mistake)
    if (mistake) return
    const body: LinkAnswer = { answer: choice, comment: together({ words, clock: sends ? clock.line : clock.kept }) }
    if (choice === 'part') Object.assign(body, part)
    setBusy(true)
    setTrouble(null)
    try {
      const answered = await reply(token, body)
      forget(words)
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
        {CHOICES.map(([value, word, more]) => {
          const off = arrived && (value === 'nothing' || value === 'no')
          return (
            <label key={value} data-on={choice === value} data-off={off}>
              <input type="radio" name="answer" value={value} checked={choice === value} disabled={off} onChange={() => setChoice(value)} />
              <span><strong>{word}</strong><span className="g-dim">{off ? 'A file has arrived already, and cannot be taken back.' : more}</span></span>
            </label>
          )
        })}
      </fieldset>
      {arrived && <p className="g-dim">If a file was not the right one, write so under “Anything to add”.</p>}
      {choice === 'part' && <PartFields {...part} zone={zone} onChange={(from, to) => { setPart(partOf(from, to, link)); setWrong(null) }} />}
      {wrong && choice === 'part' && <p className="g-bad" role="alert">{wrong}</p>}
      {sends && <><ClockField of={clock} zone={zone} /><Help /></>}
      {choice && <label className="g-field">Anything to add <span className="g-dim">If you like</span><textarea rows={3} value={words} onChange={(e) => setWords(e.currentTarget.value)} /></label>}
      {trouble && <GuestTrouble trouble={trouble} zone={zone} />}
      <div className="g-acts">
        <button type="submit" className="g-main" disabled={!choice || refused || busy}>{busy ? 'Sending' : sends ? 'Go on to the files' : 'Send the answer'}</button>
        <button type="button" className="g-quiet" onClick={onBack}>Back</button>
      </div>
    </form>
  )
}
