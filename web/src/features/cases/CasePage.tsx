import { Button } from '@mantine/core'
import { IconArchive, IconFolderOpen, IconLink, IconPencil, IconUpload } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import type { Case } from '~/api/types.ts'
import { useMe } from '~/features/session/me.ts'
import { hasDoor } from '~/layout/doors.ts'
import { plural } from '~/lib/format.ts'
import { useAddress } from '~/lib/search.ts'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { Empty, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { Status } from '~/ui/Status.tsx'
import { Time } from '~/ui/Time.tsx'
import { tellTrouble } from '~/ui/Toasts.tsx'
import { AccessTable } from './AccessTable.tsx'
import { caseEvidence, caseHistory, closeCase, oneCase, reopenCase } from './api.ts'
import { CaseLink } from './CaseLink.tsx'
import { CaseLinks } from './CaseLinks.tsx'
import { EvidenceSheet } from './EvidenceSheet.tsx'
import { EvidenceWall } from './EvidenceWall.tsx'
import { History } from './History.tsx'
import { Rename } from './Rename.tsx'
import { UploadHere } from './UploadHere.tsx'
import { caseLevelText } from './words.ts'
import './cases.css'

export function CasePage() {
  const { id } = useParams({ strict: false }) as { id: string }
  const { data, error, refetch } = useQuery(oneCase(id))
  if (error && !data) return <Page title="Case" narrow><TroubleNote error={error} retry={() => refetch()} /></Page>
  if (!data) return <Page title="Case"><RowsToCome /></Page>
  return <Body of={data} />
}

function Body({ of: c }: { of: Case }) {
  const queries = useQueryClient()
  const me = useMe()
  const [address, set] = useAddress()
  const [sheet, setSheet] = useState<'link' | 'upload' | 'rename' | null>(null)
  const { data: files, isPending } = useQuery(caseEvidence(c.id))
  const can = (verb: Case['allowed_actions'][number]) => c.allowed_actions.includes(verb)
  const turn = useMutation({
    mutationFn: () => (c.closed_at ? reopenCase(c.id) : closeCase(c.id)),
    onSuccess: () => void queries.invalidateQueries({ queryKey: ['cases'] }), onError: tellTrouble,
  })
  const tab = address.tab ?? 'files'
  const file = files?.find((f) => f.id === address.file)
  return (
    <Page title={`${c.number} ${c.name}`} heading={<><span className="dim num" style={{ fontWeight: 500 }}>{c.number}</span> {c.name}</>}
      under={<span className="row wrap under-line"><Status of={c.closed_at ? 'closed' : 'open'} /><span>{plural(c.evidence_count, 'file')}</span><span>opened <Time at={c.created_at} /></span><span>you may: {caseLevelText(c.level, files ?? []).toLowerCase()}</span></span>}
      actions={<>
        {can('change') && <Button variant="default" leftSection={<IconPencil size={14} />} onClick={() => setSheet('rename')}>Rename</Button>}
        {can('file_request') && <Button variant="default" leftSection={<IconLink size={14} />} onClick={() => setSheet('link')}>Upload link</Button>}
        {can('add') && <Button variant="default" leftSection={<IconUpload size={14} />} onClick={() => setSheet('upload')}>Add files</Button>}
        {can('close') && <ConfirmButton label="Close" icon={<IconArchive size={14} />} verb="Close the case" onConfirm={() => turn.mutate()} question="Nothing more can be added while it is closed. It can be opened again." />}
        {can('reopen') && <Button variant="default" leftSection={<IconFolderOpen size={14} />} onClick={() => turn.mutate()}>Open again</Button>}
      </>}>
      <nav className="tabs" aria-label="Case">
        {[['files', 'Files'], ['requests', 'Requests'], ['access', 'Access'], ['history', 'History']].map(([key, word]) => (
          key === 'requests'
            ? hasDoor(me, '/requests') && <Link key={key} to="/requests" search={{ tab: 'all', case: c.id } as never}>{word}</Link>
            : <Link key={key} activeOptions={{ exact: true }} to="/cases/$id" params={{ id: c.id }} search={{ tab: key === 'files' ? undefined : key } as never} aria-current={tab === key ? 'page' : undefined}>{word}</Link>
        ))}
      </nav>
      {tab === 'files' && (isPending ? <RowsToCome rows={2} height={160} /> : !files?.length ? (
        <div className="panel"><Empty icon={IconFolderOpen} title="No files yet" action={can('add') && <Button variant="default" onClick={() => setSheet('upload')}>Add files</Button>}>
          What owners release arrives here by itself. Files can also be added by hand, or sent in through an upload link.
        </Empty></div>
      ) : <EvidenceWall files={files} onOpen={(id) => set({ file: id }, false)} />)}
      {tab === 'access' && <div className="stack wide"><AccessTable of={c} files={files ?? []} />{can('file_request') && <CaseLinks of={c} />}</div>}
      {tab === 'history' && <div className="panel pad"><History query={caseHistory(c.id)} /></div>}
      {address.file && <EvidenceSheet file={file} loading={isPending} files={files ?? []} onOpen={(id) => set({ file: id })} onClose={() => set({ file: '' })} />}
      {sheet === 'link' && <CaseLink of={c} onClose={() => setSheet(null)} />}
      {sheet === 'upload' && <UploadHere of={c} onClose={() => setSheet(null)} />}
      {sheet === 'rename' && <Rename of={c} onClose={() => setSheet(null)} />}
    </Page>
  )
}
