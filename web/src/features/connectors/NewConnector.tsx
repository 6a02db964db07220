import { Button, Modal, NativeSelect, TextInput } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { asTrouble } from '~/api/problem.ts'
import { useMe } from '~/features/session/me.ts'
import { organizationList } from '~/features/sources/api.ts'
import { Note, TroubleNote } from '~/ui/Notes.tsx'
import { createConnector } from './api.ts'

export function NewConnector({ onClose }: { onClose: () => void }) {
  const me = useMe()
  const queries = useQueryClient()
  const { data: organizations } = useQuery(organizationList)
  const [name, setName] = useState('')
  const [organization, setOrganization] = useState(me.account.organization.id)
  const [fetched, setFetched] = useState(false)
  const save = useMutation({ mutationFn: () => createConnector(name.trim(), organization), onSuccess: () => void queries.invalidateQueries({ queryKey: ['connectors'] }) })
  const trouble = save.error ? asTrouble(save.error) : null
  const made = save.data
  function download() {
    if (!made) return
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([made.connection_file], { type: 'application/octet-stream' }))
    link.download = `${made.connector.name.replaceAll(/[^\w-]+/g, '-').toLowerCase()}.connection`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 5000)
    setFetched(true)
  }
  return (
    <Modal opened onClose={onClose} title={made ? `${made.connector.name} is ready to dial in` : 'New connector'} size="lg" closeButtonProps={{ 'aria-label': 'Close' }} closeOnClickOutside={!made || fetched} closeOnEscape={!made || fetched}>
      {made ? (
        <div className="stack wide">
          <Note tone="wait">The connection file holds the key. It is given out once: keep it, and bring it to the machine beside the recorder by a way you trust.</Note>
          <div><Button leftSection={<IconDownload size={14} />} onClick={download}>Download the connection file</Button></div>
          <p>There, with the recorder described in <code className="mono">connector.toml</code>:</p>
          <pre className="mono command">sightline-connector check --connection FILE --config connector.toml{'\n'}sightline-connector run --connection FILE --config connector.toml</pre>
          <div><Button variant="default" onClick={onClose}>Done</Button></div>
        </div>
      ) : (
        <form className="stack wide" onSubmit={(e: FormEvent) => { e.preventDefault(); save.mutate() }}>
          <TextInput label="Name" placeholder="Transit depot recorder" required withAsterisk={false} data-autofocus value={name} onChange={(e) => setName(e.currentTarget.value)} error={trouble?.field('/name')} />
          <NativeSelect label="Whose cameras it publishes" value={organization} onChange={(e) => setOrganization(e.currentTarget.value)} error={trouble?.field('/organization_id')} data={(organizations ?? []).map((o) => ({ value: o.id, label: o.name }))} />
          {trouble && <TroubleNote error={trouble} />}
          <div className="row"><Button type="submit" loading={save.isPending}>Make the connector</Button><Button variant="default" onClick={onClose}>Not now</Button></div>
        </form>
      )}
    </Modal>
  )
}
