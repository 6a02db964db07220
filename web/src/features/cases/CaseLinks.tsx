import { useQuery, useQueryClient } from '@tanstack/react-query'
import type { Case, CaseLink } from '~/api/types.ts'
import { Reply } from '~/features/file-requests/Reply.tsx'
import { useRevokeLink } from '~/features/file-requests/revoke.ts'
import { plural } from '~/lib/format.ts'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { TroubleNote } from '~/ui/Notes.tsx'
import { Time } from '~/ui/Time.tsx'
import { caseLinks } from './api.ts'

/** Who can send files into the case without an account: its upload links, each to be revoked. */
export function CaseLinks({ of: c }: { of: Case }) {
  const queries = useQueryClient()
  const { data: links, error } = useQuery(caseLinks(c.id))
  const revoke = useRevokeLink(() => void queries.invalidateQueries({ queryKey: ['cases'] }))
  if (error) return <TroubleNote error={error} />
  if (!links?.length) return null
  return (
    <section className="stack">
      <h2>Upload links</h2>
      <div className="table-wrap">
        <table className="table">
          <thead><tr><th>What it asks for</th><th>Made by</th><th>State</th><th className="right">Files</th><th><span className="unseen">Revoke</span></th></tr></thead>
          <tbody>
            {links.map((link) => (
              <tr key={link.id}>
                <td className="main"><div>{link.name}{link.open && <div className="small dim" style={{ fontWeight: 400 }}>code {link.code}</div>}{link.reply && <div style={{ fontWeight: 400 }}><Reply of={link.reply} /></div>}</div></td>
                <td data-label="Made by"><div>{link.created_by ?? 'The server'}, <Time at={link.created_at} /></div></td>
                <td data-label="State"><div><State of={link} /></div></td>
                <td data-label="Files" className="right num">{link.evidence_count}</td>
                <td className="right">{(link.open || link.sending) && <ConfirmButton label="Revoke" verb="Revoke the link" onConfirm={() => revoke.mutate(link.id)}
                  question={`The link stops working at once.${link.evidence_count > 0 ? ` The ${plural(link.evidence_count, 'file')} that came by it ${link.evidence_count === 1 ? 'stays' : 'stay'}.` : ''}`} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function State({ of: link }: { of: CaseLink }) {
  if (link.revoked_at) return <span className="dim">revoked <Time at={link.revoked_at} /></span>
  if (link.finished_at) return <span className="dim">finished <Time at={link.finished_at} /></span>
  return link.open ? <>good until <Time at={link.expires_at} /></> : <span className="dim">ran out <Time at={link.expires_at} />{link.sending && '; what its holder had begun to send still arrives'}</span>
}
