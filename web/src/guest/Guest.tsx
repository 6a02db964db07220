import { useCallback, useEffect, useState } from 'react'
import type { LinkView, Receipt } from '~/api/types.ts'
import { LinkTrouble, view } from './api.ts'
import { AnswerStep } from './AnswerStep.tsx'
import { AskStep } from './AskStep.tsx'
import { Closed } from './Closed.tsx'
import { FilesStep } from './FilesStep.tsx'
import { ReceiptView, Thanks } from './Receipt.tsx'

type Step = 'ask' | 'answer' | 'files' | 'receipt' | 'thanks'

function stepOf(link: LinkView): Step {
  // "No" and "nothing there" end a link too, but nothing arrived by it.
  if (link.answer === 'nothing' || link.answer === 'no') return 'thanks'
  if (link.finished_at) return 'receipt'
  return link.answer || link.files.length > 0 ? 'files' : 'ask'
}

/** Three steps for somebody with a link and a phone. Opening it changes nothing. */
export function Guest({ token }: { token: string }) {
  const [link, setLink] = useState<LinkView | null>(null)
  const [receipt, setReceipt] = useState<Receipt | null>(null)
  const [step, setStep] = useState<Step>('ask')
  const [trouble, setTrouble] = useState<LinkTrouble | null>(null)
  const load = useCallback(() => {
    setTrouble(null)
    view(token).then((found) => { setLink(found); setStep(stepOf(found)) }, (error: unknown) => setTrouble(error instanceof LinkTrouble ? error : new LinkTrouble({ title: 'This page made a mistake' }, -1)))
  }, [token])
  useEffect(load, [load])
  /** Reads the link again under the hands of somebody who sends files: one that no longer holds says so, a lost signal changes nothing. */
  const look = useCallback(() => {
    view(token).then(
      (found) => { setLink(found); if (found.finished_at) setStep(stepOf(found)) },
      (error: unknown) => { if (error instanceof LinkTrouble && error.code.startsWith('link_')) setTrouble(error) },
    )
  }, [token])
  const go = (next: Step) => { setStep(next); scrollTo({ top: 0 }); requestAnimationFrame(() => document.getElementById('step-title')?.focus()) }

  if (trouble) return <Frame><Closed trouble={trouble} retry={load} /></Frame>
  if (!link) return <Frame><p className="g-dim" role="status">One moment</p></Frame>
  const at = step === 'ask' ? 1 : step === 'answer' ? 2 : 3
  return (
    <Frame agency={link.organization}>
      {step !== 'thanks' && step !== 'receipt' && (
        <ol className="g-steps" aria-label="Steps">
          {['Question', 'Answer', 'Files'].map((word, i) => <li key={word} aria-current={at === i + 1 ? 'step' : undefined} data-done={at > i + 1}><span>{i + 1}</span>{word}</li>)}
        </ol>
      )}
      {step === 'ask' && <AskStep link={link} onNext={() => go('answer')} />}
      {step === 'answer' && <AnswerStep token={token} link={link} onBack={() => go('ask')} onChanged={look} onAnswered={(fresh) => { setLink(fresh); go(stepOf(fresh) === 'ask' ? 'files' : stepOf(fresh)) }} />}
      {step === 'files' && <FilesStep token={token} link={link} onBack={() => go('answer')} onChanged={look} onDone={(done) => { setReceipt(done); go('receipt') }} />}
      {step === 'receipt' && <ReceiptView link={link} receipt={receipt} />}
      {step === 'thanks' && <Thanks link={link} />}
    </Frame>
  )
}

function Frame({ agency, children }: { agency?: string; children: React.ReactNode }) {
  return (
    <div className="g-page">
      <header className="g-head">
        <svg width="26" height="26" viewBox="0 0 32 32" aria-hidden="true"><rect width="32" height="32" rx="7" fill="#1f55c4" /><path d="M8 16 25 8.5v15z" fill="#fff" fillOpacity=".45" /><circle cx="9" cy="16" r="4" fill="#fff" /></svg>
        <strong>{agency ?? 'Sightline'}</strong>
      </header>
      <main>{children}</main>
    </div>
  )
}
