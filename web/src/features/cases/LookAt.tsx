import { Button } from '@mantine/core'
import { IconEye } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import type { Id } from '~/api/types.ts'
import { oneEvidence } from './api.ts'
import { EvidenceSheet } from './EvidenceSheet.tsx'

/** For whoever decides about what arrived: the case is not theirs, the file is until its release. `of`: the camera, for those who hear the button alone. */
export function LookAt({ id, of }: { id: Id; of: string }) {
  const [open, setOpen] = useState(false)
  const { data, isPending } = useQuery({ ...oneEvidence(id), enabled: open })
  return (
    <>
      <Button variant="default" aria-label={`Look at it: ${of}`} leftSection={<IconEye size={14} />} onClick={() => setOpen(true)}>Look at it</Button>
      {open && <EvidenceSheet file={data} loading={isPending} files={data ? [data] : []} onOpen={() => undefined} onClose={() => setOpen(false)} />}
    </>
  )
}
