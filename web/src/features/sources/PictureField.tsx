import { FileInput } from '@mantine/core'
import { IconPhotoUp } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { toJpeg } from '~/lib/jpeg.ts'
import { Thumb } from '~/ui/Thumb.tsx'

/** A camera's picture: the one that it has, or the one that is to be sent in its place. */
export function PictureField({ has, onPick, error }: { has: string | null; onPick: (jpeg: Blob | null) => void; error?: string }) {
  const [file, setFile] = useState<File | null>(null)
  const [shown, setShown] = useState<string | null>(null)
  const [unreadable, setUnreadable] = useState(false)
  useEffect(() => () => { if (shown) URL.revokeObjectURL(shown) }, [shown])

  async function pick(next: File | null) {
    setFile(next)
    const jpeg = next && await toJpeg(next).catch(() => null)
    setUnreadable(!!next && !jpeg)
    setShown(jpeg && URL.createObjectURL(jpeg))
    onPick(jpeg)
  }
  return (
    <div className="all picture-field">
      <Thumb src={shown ?? has} alt={shown ? 'The picture that was chosen' : 'The picture that it has'} width={144} />
      <FileInput className="grow" label="Picture" description="What it sees" placeholder={has ? 'Choose another' : 'Choose a file'} accept="image/*" leftSection={<IconPhotoUp size={16} aria-hidden />}
        value={file} onChange={pick} clearable clearButtonProps={{ 'aria-label': 'Do not send this picture' }} error={unreadable ? 'This file is not a picture that the browser can read.' : error} />
    </div>
  )
}
