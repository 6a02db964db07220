import { ActionIcon, Button, Modal } from '@mantine/core'
import { IconCircleCheck, IconX } from '@tabler/icons-react'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import type { Case } from '~/api/types.ts'
import { bytes, percent } from '~/lib/format.ts'
import { keyOf, type Sender, type Sending, send } from '~/lib/upload.ts'

interface Row { file: File; done: number; state: Sending; reason?: string; sender?: Sender }
const WORDS: Record<Sending, string> = { sending: 'on its way', waiting: 'waits for the network', stuck: 'stopped', done: 'arrived' }

export function UploadHere({ of: c, onClose }: { of: Case; onClose: () => void }) {
  const queries = useQueryClient()
  const [rows, setRows] = useState<Row[]>([])
  const senders = useRef<Sender[]>([])
  const input = useRef<HTMLInputElement>(null)
  const choose = useRef<HTMLButtonElement>(null)
  useEffect(() => () => { for (const s of senders.current) s.stop() }, [])

  function add(files: FileList | null) {
    for (const file of files ?? []) {
      // Chosen twice, it would be sent twice over the same upload.
      if (rows.some((r) => keyOf(r.file) === keyOf(file))) continue
      const put = (patch: Partial<Row>) => setRows((all) => all.map((r) => (r.file === file ? { ...r, ...patch } : r)))
      setRows((all) => [...all, { file, done: 0, state: 'sending' }])
      const sender = send(file, {
        metadata: { case_id: c.id }, scope: c.id, onProgress: (done) => put({ done }),
        onState: (state, reason) => { put({ state, reason }); if (state === 'done') void queries.invalidateQueries({ queryKey: ['evidence'] }) },
      })
      senders.current.push(sender)
      put({ sender })
    }
  }
  function remove(row: Row) {
    setRows((all) => all.filter((r) => r.file !== row.file))
    choose.current?.focus()
    void row.sender?.remove()
  }
  const busy = rows.some((r) => r.state === 'sending' || r.state === 'waiting')
  return (
    <Modal opened onClose={onClose} title="Add files" size="lg" closeButtonProps={{ 'aria-label': 'Close' }} closeOnClickOutside={!busy}>
      <div className="stack wide">
        <p className="dim">The original is kept as it is and hashed while it arrives. A lost connection only delays it.</p>
        <div><Button ref={choose} onClick={() => input.current?.click()}>Choose files</Button></div>
        <input ref={input} type="file" multiple hidden aria-label="Files" onChange={(e) => { add(e.currentTarget.files); e.currentTarget.value = '' }} />
        {rows.map((row) => {
          const share = percent(row.done, row.file.size) ?? 0
          return (
            <div key={keyOf(row.file)} className="stack" style={{ gap: 4 }}>
              <div className="row">
                <strong className="grow" style={{ overflowWrap: 'anywhere' }}>{row.file.name}</strong>
                <span className="small dim num">{bytes(row.file.size)} · {row.state === 'sending' ? `${share} %` : WORDS[row.state]}</span>
                {row.state === 'done' ? <IconCircleCheck size={16} className="tone-good" aria-hidden /> : <ActionIcon className="touch" aria-label={`Remove ${row.file.name}`} onClick={() => remove(row)}><IconX size={16} /></ActionIcon>}
              </div>
              <div className="bar" role="progressbar" aria-label={row.file.name} aria-valuenow={share} aria-valuemin={0} aria-valuemax={100}><i style={{ width: `${share}%` }} /></div>
              {row.state === 'stuck' && <span className="small tone-bad">{row.reason} <button type="button" className="plain touch" onClick={() => row.sender?.again()}><u>Try again</u></button></span>}
            </div>
          )
        })}
      </div>
    </Modal>
  )
}
