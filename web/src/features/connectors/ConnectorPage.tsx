import { IconClockExclamation, IconPlugConnectedX } from '@tabler/icons-react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import type { Connector } from '~/api/types.ts'
import { useZone } from '~/features/session/me.ts'
import { bytes, percent, plural, sentence } from '~/lib/format.ts'
import { atHome } from '~/lib/time.ts'
import { ConfirmButton } from '~/ui/ConfirmButton.tsx'
import { Empty, Note, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Facts, Page } from '~/ui/Page.tsx'
import { Status } from '~/ui/Status.tsx'
import { Ago, Time, Window } from '~/ui/Time.tsx'
import { tell, tellTrouble } from '~/ui/Toasts.tsx'
import { connectorTasks, oneConnector, revokeConnector } from './api.ts'
import { SetUp } from './SetUp.tsx'
import { systemName } from './systems.ts'
import { clockText, phaseText } from './words.ts'
import './connectors.css'

export function ConnectorPage() {
  const { id } = useParams({ strict: false }) as { id: string }
  const { data, error, refetch } = useQuery(oneConnector(id))
  if (error && !data) return <Page title="Connector" narrow><TroubleNote error={error} retry={() => refetch()} /></Page>
  if (!data) return <Page title="Connector"><RowsToCome /></Page>
  return <Body of={data} />
}

function Body({ of: c }: { of: Connector }) {
  const queries = useQueryClient()
  const zone = useZone()
  const { data: tasks, error } = useQuery(connectorTasks(c.id))
  const settingUp = c.source_count === 0 && !c.revoked_at
  const revoke = useMutation({
    mutationFn: () => revokeConnector(c.id),
    onSuccess: () => { tell(`${c.name} is revoked.`); void queries.invalidateQueries({ queryKey: ['connectors'] }) }, onError: tellTrouble,
  })
  return (
    <Page title={c.name} under={<span className="row wrap under-line"><Status of={c.revoked_at ? 'revoked' : c.online ? 'online' : 'offline'} /><span>{c.organization.name}</span><span>last word {c.last_seen_at ? <Ago at={c.last_seen_at} /> : 'never'}</span></span>}
      actions={!c.revoked_at && c.allowed_actions.includes('revoke') && (
        <ConfirmButton label="Revoke" icon={<IconPlugConnectedX size={14} />} verb="Revoke connector" onConfirm={() => revoke.mutate()} question="Its key stops working at once. Its cameras stay in the registry; what waits for it keeps waiting or goes through an upload link." />
      )}>
      <div className="stack wide">
        {c.problem && (c.last_seen_at || !settingUp) && <Note tone="wait"><strong>{c.problem.text}</strong><br />{c.problem.what_to_do}</Note>}
        {!c.revoked_at && <WrongClock of={c} />}
        {settingUp && <SetUp of={c} />}
        <div className="panel pad">
          <Facts of={[
            ['Recorder', systemName(c.adapter) ?? 'Not known until it calls'],
            ['Version', c.version],
            ['Publishes', <span key="p">{plural(c.source_count, 'camera')}, among <Link to="/registry" search={{ org: c.organization.id, follow: 'no' } as never}>all of {c.organization.name}</Link></span>],
            ['Queue', `${c.queue.waiting} waiting, ${c.queue.running} running`],
            ['Made', <Time key="m" at={c.created_at} />],
            ['Revoked', c.revoked_at && <Time key="r" at={c.revoked_at} />],
          ]} />
        </div>
        <h2>Tasks</h2>
        <div className="table-wrap">
          {error ? <div className="pad"><TroubleNote error={error} /></div> : !tasks ? <RowsToCome rows={3} /> : tasks.length === 0 ? <Empty title="No tasks yet">Exports, holds and questions about coverage appear here while they wait, run and end.</Empty> : (
            <table className="table">
              <thead><tr><th>Task</th><th>State</th><th className="right">Tries</th><th>Progress</th><th>What it said</th><th>Since</th></tr></thead>
              <tbody>
                {tasks.map((t) => {
                  const share = t.progress ? percent(t.progress.bytes_done, t.progress.bytes_total) : null
                  const phase = phaseText(t, c, zone)
                  return (
                    <tr key={t.id}>
                      <td className="main"><div>{sentence(t.kind)}{t.device_id && <div className="small dim" style={{ fontWeight: 400 }}>{t.device_id}{t.window && <> · <Window from={t.window.from} to={t.window.to} /></>}</div>}</div></td>
                      <td><div><Status of={t.state === 'unavailable' ? 'video_unavailable' : t.state} />{phase && <div className="small dim" style={{ maxWidth: 320 }}>{phase}</div>}</div></td>
                      <td className="right num" data-label="Tries">{t.attempts || <span className="dim">–</span>}</td>
                      <td data-label="Progress" className="num">{t.state === 'leased' && t.progress && t.progress.bytes_done > 0 ? `${share !== null ? `${share} % · ` : ''}${bytes(t.progress.bytes_done)}` : <span className="dim">–</span>}</td>
                      <td data-label="What it said" className="small" style={{ overflowWrap: 'anywhere' }}>{t.last_error ? atHome(t.last_error, zone) : <span className="dim">–</span>}</td>
                      <td data-label="Since" className="dim"><Ago at={t.created_at} /></td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
          )}
        </div>
      </div>
    </Page>
  )
}

/** Where the machine's clock is off, and what to do: some exports are dated by it, and what is still being recorded is told from what is over. */
function WrongClock({ of: connector }: { of: Connector }) {
  const text = clockText(connector.clock_offset_ms)
  if (!text) return null
  return (
    <Note tone="wait" icon={IconClockExclamation}>
      <strong>{text}</strong><br />Set the clock of the machine that it runs on, and let time synchronization (NTP) keep it right. It tells its clock when it connects, and each hour after that: start the connector again to have it looked at at once.
    </Note>
  )
}
