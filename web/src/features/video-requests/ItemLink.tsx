import { Button } from '@mantine/core'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useOnce } from '~/api/once.ts'
import type { Item } from '~/api/types.ts'
import { LinkCard } from '~/features/file-requests/LinkCard.tsx'
import { Reply } from '~/features/file-requests/Reply.tsx'
import { useRevokeLink } from '~/features/file-requests/revoke.ts'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { TroubleNote } from '~/ui/Notes.tsx'
import { Time } from '~/ui/Time.tsx'
import { newItemLink } from './api.ts'

/** The upload link of an item: made here, shown once, revoked here. */
export function ItemLink({ item, making, onClose }: { item: Item; making: boolean; onClose: () => void }) {
  const queries = useQueryClient()
  const refresh = () => void queries.invalidateQueries({ queryKey: ['video-requests'] })
  const create = useOnce(newItemLink(item.id))
  const make = useMutation({ mutationFn: () => create({}).then(({ made }) => made), onSuccess: refresh })
  const revoke = useRevokeLink(() => { make.reset(); refresh() })
  const link = item.file_request
  const mine = item.allowed_actions.includes('file_request')
  const live = link && !link.revoked_at && !link.finished_at && new Date(link.expires_at) > new Date()
  const late = link && !live && !link.revoked_at && !link.finished_at && item.state === 'uploading'
  return (
    <div className="stack">
      {link?.reply && <Reply of={link.reply} />}
      {make.data && <LinkCard link={make.data} />}
      {!make.data && link && item.waiting_for !== 'new_link' && (
        <p className="small dim">
          {link.finished_at ? <>The upload link was used and finished <Time at={link.finished_at} />.</>
            : link.revoked_at ? <>The upload link was revoked <Time at={link.revoked_at} />.</>
              : !live ? <>The upload link ran out <Time at={link.expires_at} />{late && '; what its holder had begun to send still arrives'}.</>
                : <>An upload link is out, good until <Time at={link.expires_at} />. {mine && <>Its code is <strong className="num">{link.code}</strong>. The link was sent by mail, or shown when it was made; make a new one if it is lost.</>}</>}
        </p>
      )}
      {making && !make.data && (
        <p className="small">Whoever holds the link can send files for these minutes, without an account. It is shown once{live ? ', and replaces the one that is out' : ''}.</p>
      )}
      {make.error && <TroubleNote error={make.error} />}
      <div className="row">
        {making && !make.data && <Button loading={make.isPending} onClick={() => make.mutate()}>Make the link</Button>}
        {(making || make.data) && <Button variant="default" onClick={() => { make.reset(); onClose() }}>Close</Button>}
        {link && (live || late) && mine && <ConfirmButton label="Revoke link" verb="Revoke" question={`The link stops working at once, also for what is on its way. ${item.state === 'uploading' && item.evidence.length === 0 ? 'No file has arrived whole: the item ends with that. To go on, make another link instead, which takes the place of this one.' : 'What had arrived stays.'}`} onConfirm={() => revoke.mutate(link.id)} />}
      </div>
    </div>
  )
}
