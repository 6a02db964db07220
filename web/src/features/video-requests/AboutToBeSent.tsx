import { useEffect, useRef } from 'react'

/** Where a decision that is held back stands. The toast by which it is taken back would lie over the last one of a page: it is moved out from under. */
export function AboutToBeSent({ leaving }: { leaving: boolean }) {
  const line = useRef<HTMLParagraphElement>(null)
  useEffect(() => {
    const p = line.current
    if (p && p.getBoundingClientRect().bottom > innerHeight - parseFloat(getComputedStyle(p).scrollMarginBottom)) p.scrollIntoView({ block: 'nearest' })
  }, [])
  return <p ref={line} className="small tone-wait above-toasts">{leaving ? 'Being sent.' : 'About to be sent. Take it back below.'}</p>
}
