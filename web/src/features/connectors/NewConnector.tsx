import { Button, Modal, NativeSelect, TextInput } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type FormEvent, useState } from 'react'
import { useOnce } from '~/api/once.ts'
import { asTrouble } from '~/api/problem.ts'
import { useMe } from '~/features/session/me.ts'
import { organizationList } from '~/features/sources/api.ts'
import { save } from '~/lib/save.ts'
import { Note, TroubleNote } from '~/ui/Notes.tsx'
import { createConnector } from './api.ts'

export function NewConnector({ onClose }: { onClose: () => void }) {
  const me = useMe()
  const queries = useQueryClient()
  const navigate = useNavigate()
  const { data: organizations } = useQuery(organizationList)
  const [name, setName] = useState('')
  const [organization, setOrganization] = useState(me.account.organization.id)
  const [fetched, setFetched] = useState(false)
  const create = useOnce(createConnector)
  const make = useMutation({ mutationFn: () => create({ name: name.trim(), organization_id: organization }).then(({ made }) => made), onSuccess: () => void queries.invalidateQueries({ queryKey: ['connectors'] }) })
  const trouble = make.error ? asTrouble(make.error) : null
  const made = make.data
  function download() {
    if (!made) return
    save('connection.toml', made.connection_file)
    setFetched(true)
  }
  return (
    <Modal opened onClose={onClose} title={made ? `${made.connector.name} is made` : 'New connector'} size="lg" closeButtonProps={{ 'aria-label': 'Close' }} withCloseButton={!made || fetched} closeOnClickOutside={!made || fetched} closeOnEscape={!made || fetched}>
      {made ? (
        <div className="stack wide">
          <Note tone="wait">The connection file holds the key. It is given out once: keep it, and bring it to the machine beside the recorder by a way you trust.</Note>
          <div><Button variant={fetched ? 'default' : 'filled'} leftSection={<IconDownload size={14} />} onClick={download}>Download the connection file</Button></div>
          <div><Button variant={fetched ? 'filled' : 'default'} disabled={!fetched} onClick={() => navigate({ to: '/connectors/$id', params: { id: made.connector.id } })}>Set it up</Button></div>
        </div>
      ) : (
        <form className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); make.mutate() }}>
          <TextInput label="Name" placeholder="Transit depot recorder" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={trouble?.field('/name')} />
          <NativeSelect label="Whose cameras it publishes" value={organization} onChange={(e) => setOrganization(e.currentTarget.value)} error={trouble?.field('/organization_id')} data={(organizations ?? []).map((o) => ({ value: o.id, label: o.name }))} />
          {trouble && <TroubleNote error={trouble} />}
          <div className="row"><Button type="submit" loading={make.isPending}>Make the connector</Button><Button variant="default" onClick={onClose}>Not now</Button></div>
        </form>
      )}
    </Modal>
  )
}
