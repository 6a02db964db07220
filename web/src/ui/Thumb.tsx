import { type Icon, IconVideo } from '@tabler/icons-react'
import { useState } from 'react'

/** A picture of something, or a sign of what it would be of. */
export function Thumb({ src, alt = '', width, sign: Sign = IconVideo }: { src: string | null; alt?: string; width?: number | string; sign?: Icon }) {
  const [broken, setBroken] = useState<string | null>(null)
  return (
    <span className="thumb" style={{ width }}>
      {src && broken !== src ? (
        <img src={src} alt={alt} loading="lazy" decoding="async" onError={() => setBroken(src)} />
      ) : (
        <span className="none"><Sign size={18} stroke={1.5} aria-hidden />{alt && <span className="unseen">No picture</span>}</span>
      )}
    </span>
  )
}
