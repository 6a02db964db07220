import { Button, Modal, Textarea, TextInput } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useOnce } from '~/api/once.ts'
import { asTrouble } from '~/api/problem.ts'
import type { Case } from '~/api/types.ts'
import { LinkCard } from '~/features/file-requests/LinkCard.tsx'
import { useZone } from '~/features/session/me.ts'
import { DateTimeField } from '~/ui/DateTimeField.tsx'
import { TroubleNote } from '~/ui/Notes.tsx'
import { newCaseLink } from './api.ts'

export function CaseLink({ of: c, onClose }: { of: Case; onClose: () => void }) {
  const zone = useZone()
  const [name, setName] = useState(c.name)
  const [description, setDescription] = useState('')
  const [expires, setExpires] = useState(() => new Date(Date.now() + 7 * 86_400_000).toISOString())
  const create = useOnce(newCaseLink(c.id))
  const make = useMutation({ mutationFn: () => create({ name, description: description || undefined, expires_at: expires }).then(({ made }) => made) })
  const trouble = make.error ? asTrouble(make.error) : null
  return (
    <Modal opened onClose={onClose} title="Upload link" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
      {make.data ? <LinkCard link={make.data} /> : (
        <form className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); make.mutate() }}>
          <p className="dim">Whoever holds the link can send files into this case, without an account and without a name.</p>
          <TextInput label="What the page says it is about" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={trouble?.field('/name')} />
          <Textarea label="What to send" value={description} onChange={(e) => setDescription(e.currentTarget.value)} error={trouble?.field('/description')} />
          <DateTimeField label="Good until" zone={zone} value={expires} onChange={(at) => at && setExpires(at)} error={trouble?.field('/expires_at')} />
          {trouble && <TroubleNote error={trouble} />}
          <div className="row"><Button type="submit" loading={make.isPending}>Make the link</Button><Button variant="default" onClick={onClose}>Not now</Button></div>
        </form>
      )}
    </Modal>
  )
}
