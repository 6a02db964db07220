import { Button } from '@mantine/core'
import { IconPlug, IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { useState } from 'react'
import { may, useMe } from '~/features/session/me.ts'
import { useRowKeys } from '~/lib/keys.ts'
import { Empty, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { Status } from '~/ui/Status.tsx'
import { Ago } from '~/ui/Time.tsx'
import { connectorList } from './api.ts'
import { NewConnector } from './NewConnector.tsx'
import { systemName } from './systems.ts'
import { clockText } from './words.ts'
import './connectors.css'

export function Connectors() {
  const me = useMe()
  const navigate = useNavigate()
  const [making, setMaking] = useState(false)
  const query = useQuery(connectorList)
  const rows = query.data ?? []
  const open = (i: number) => { const row = rows[i]; if (row) void navigate({ to: '/connectors/$id', params: { id: row.id } }) }
  const [at, setAt] = useRowKeys(rows.length, open)
  const create = may(me, 'manage_connectors') && <Button leftSection={<IconPlus size={14} />} onClick={() => setMaking(true)}>New connector</Button>
  return (
    <Page title="Connectors" actions={create} under={<span>Whether they hold what is asked for at once is set for each <Link to="/organizations">organization</Link>.</span>}>
      <div className="table-wrap">
        {query.error ? <div className="pad"><TroubleNote error={query.error} retry={() => query.refetch()} /></div> : query.isPending ? <RowsToCome rows={4} /> : rows.length === 0 ? (
          <Empty icon={IconPlug} title="No connector yet" action={create}>A connector runs beside a recorder. It dials in from there, publishes its cameras, and exports what is approved.</Empty>
        ) : (
          <table className="table">
            <thead><tr><th>Name</th><th>State</th><th>Last word</th><th>Recorder</th><th className="right">Cameras</th><th className="right">Waiting</th><th className="right">Running</th></tr></thead>
            <tbody>
              {rows.map((c, i) => (
                <tr key={c.id} data-href data-at={i === at} onClick={(e) => { if (!(e.target as HTMLElement).closest('a')) { setAt(i); open(i) } }}>
                  <td><div><Link className="main" to="/connectors/$id" params={{ id: c.id }}>{c.name}</Link><div className="dim small">{c.organization.name}</div>{c.problem && <div className="small tone-wait">{c.problem.text}</div>}{!c.revoked_at && clockText(c.clock_offset_ms) && <div className="small tone-wait">{clockText(c.clock_offset_ms)}</div>}</div></td>
                  <td><Status of={c.revoked_at ? 'revoked' : c.online ? 'online' : 'offline'} /></td>
                  <td data-label="Last word" className="dim">{c.last_seen_at ? <Ago at={c.last_seen_at} /> : 'never'}</td>
                  <td data-label="Recorder"><div>{systemName(c.adapter) ?? <span className="dim">not known yet</span>}{c.version && <span className="dim small"> {c.version}</span>}</div></td>
                  <td data-label="Cameras" className="right num">{c.source_count}</td>
                  <td data-label="Waiting" className="right num">{c.queue.waiting}</td>
                  <td data-label="Running" className="right num">{c.queue.running}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {making && <NewConnector onClose={() => setMaking(false)} />}
    </Page>
  )
}
