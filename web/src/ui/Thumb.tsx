import { IconVideo } from '@tabler/icons-react'
import { useState } from 'react'

export function Thumb({ src, alt = '', width }: { src: string | null; alt?: string; width?: number | string }) {
  const [broken, setBroken] = useState<string | null>(null)
  return (
    <span className="thumb" style={{ width }}>
      {src && broken !== src ? (
        <img src={src} alt={alt} loading="lazy" decoding="async" onError={() => setBroken(src)} />
      ) : (
        <span className="none"><IconVideo size={18} stroke={1.5} aria-hidden />{alt && <span className="unseen">No picture</span>}</span>
      )}
    </span>
  )
}
