import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { asTrouble } from '~/api/problem.ts'
import type { Case } from '~/api/types.ts'
import { Overtaken, TroubleNote } from '~/ui/Notes.tsx'
import { useOpened } from '~/ui/opened.ts'
import { oneCase, renameCase } from './api.ts'

export function Rename({ of: known, onClose }: { of: Case; onClose: () => void }) {
  const queries = useQueryClient()
  const { opened: c = known, theirs, load } = useOpened(known, (of) => queries.fetchQuery({ ...oneCase(of.id), staleTime: 0 }))
  const [name, setName] = useState(c.name)
  const save = useMutation({
    mutationFn: () => renameCase(c.id, c.version, name.trim()),
    onSuccess: () => { void queries.invalidateQueries({ queryKey: ['cases'] }); onClose() },
  })
  const trouble = save.error ? asTrouble(save.error) : null
  return (
    <Modal opened onClose={onClose} title="Rename the case" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); save.mutate() }}>
        <TextInput label="Name" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={trouble?.field('/name') ?? theirs.name} />
        {trouble?.status === 412 ? <Overtaken what="this case" loading={load.isPending} onLoad={() => load.mutate({ of: c, touched: { name } }, { onSuccess: () => save.reset() })} />
          : trouble && !trouble.field('/name') && <TroubleNote error={trouble} />}
        <div><Button type="submit" loading={save.isPending}>Rename</Button></div>
      </form>
    </Modal>
  )
}
