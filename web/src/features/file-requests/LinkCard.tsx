import type { NewFileRequest } from '~/api/types.ts'
import { Copy } from '~/ui/Hash.tsx'
import { Time } from '~/ui/Time.tsx'
import './link.css'

/** A fresh upload link, to be copied, sent or held up as a code. */
export function LinkCard({ link }: { link: NewFileRequest }) {
  const url = new URL(link.url, location.origin).href
  const picture = `data:image/svg+xml;utf8,${encodeURIComponent(link.qr_svg)}`
  return (
    <div className="link-card">
      <span className="qr"><img src={picture} alt="The link as a QR code" /></span>
      <div className="stack grow">
        <strong>Upload link</strong>
        <span className="row" style={{ gap: 4 }}><code className="mono link-text">{url}</code><Copy value={url} what="Copy link" /></span>
        <span className="small dim">Good until <Time at={link.expires_at} />. It is not shown again.</span>
        <span className="small dim">Its holder sees the code <strong className="num">{link.code}</strong>, and may call to compare it.</span>
        <span className="row wrap"><a href={url} target="_blank" rel="noreferrer">Open it</a><a href={`mailto:?subject=${encodeURIComponent('Send video')}&body=${encodeURIComponent(url)}`}>Send by e-mail</a></span>
      </div>
    </div>
  )
}
