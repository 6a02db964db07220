import { Button, Modal, TextInput } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { asTrouble } from '~/api/problem.ts'
import type { Case } from '~/api/types.ts'
import { TroubleNote } from '~/ui/Notes.tsx'
import { renameCase } from './api.ts'

export function Rename({ of: c, onClose }: { of: Case; onClose: () => void }) {
  const queries = useQueryClient()
  const [name, setName] = useState(c.name)
  const save = useMutation({
    mutationFn: () => renameCase(c.id, c.version, name.trim()),
    onSuccess: () => { void queries.invalidateQueries({ queryKey: ['cases'] }); onClose() },
  })
  const trouble = save.error ? asTrouble(save.error) : null
  return (
    <Modal opened onClose={onClose} title="Rename the case" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); save.mutate() }}>
        <TextInput label="Name" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={trouble?.field('/name')} />
        {trouble && !trouble.field('/name') && <TroubleNote error={trouble} />}
        <div><Button type="submit" loading={save.isPending}>Rename</Button></div>
      </form>
    </Modal>
  )
}
