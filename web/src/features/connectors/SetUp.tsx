import { Button, NativeSelect } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { type ReactNode, useState } from 'react'
import type { Connector } from '~/api/types.ts'
import { save } from '~/lib/save.ts'
import { Copy } from '~/ui/Hash.tsx'
import { Ago } from '~/ui/Time.tsx'
import { SYSTEMS } from './systems.ts'
import { fileName } from './words.ts'

/** What is left to do beside the recorder until a new connector publishes its first cameras. */
export function SetUp({ of: connector }: { of: Connector }) {
  const [kind, setKind] = useState('zoneminder')
  const system = SYSTEMS.find((system) => system.kind === kind) ?? SYSTEMS[0]
  const service = fileName(connector)
  const folder = `/etc/sightline-connector/${service}`
  return (
    <section className="panel pad" aria-labelledby="set-up">
      <h2 id="set-up">Set it up beside the recorder</h2>
      <ol className="steps">
        <Step title="Install the connector">
          <p>On a machine that reaches the recorder, and this server. It needs no open port. Whoever set up this server makes the package there, with <code className="mono">make package</code>.</p>
          <Command text="sudo apt install ./sightline-connector_*.deb" />
        </Step>
        <Step title="Bring it the connection file">
          <p>It was given out when this connector was made. If it is lost, revoke this connector and make another.</p>
          <Command text={`sudo install -d -m 750 -g sightline-connector ${folder}\nsudo install -m 640 -g sightline-connector connection.toml ${folder}/connection.toml`} />
        </Step>
        <Step title="Say which video system it is">
          <NativeSelect aria-label="Video system" value={kind} onChange={(e) => setKind(e.currentTarget.value)} data={SYSTEMS.map(({ kind, name }) => ({ value: kind, label: name }))} w={280} maw="100%" />
          <p>Save this as <code className="mono">{folder}/connector.toml</code>, and change what differs. A password lies beside it, in the file that it names, with the rights of the connection file.</p>
          {system && <Command text={system.example.trim()} />}
          {system && <div><Button variant="default" leftSection={<IconDownload size={14} />} onClick={() => save('connector.toml', system.example)}>Download connector.toml</Button></div>}
        </Step>
        <Step title="See what it would publish">
          <p>It lists the cameras, and says what is wrong and what to do. Nothing is published yet.</p>
          <Command text={`sudo -u sightline-connector sightline-connector check \\\n  --connection ${folder}/connection.toml \\\n  --config ${folder}/connector.toml \\\n  --state /var/lib/sightline-connector/${service}`} />
        </Step>
        <Step title="Start it">
          <Command text={`sudo systemctl enable --now sightline-connector@${service}`} />
          <p className="row waiting" role="status"><span className="pulse" aria-hidden /> {connector.last_seen_at ? <>It called <Ago at={connector.last_seen_at} />. Its first cameras appear here as soon as it runs.</> : 'Waiting for its first call. This page notices by itself.'}</p>
        </Step>
      </ol>
    </section>
  )
}

function Step({ title, children }: { title: string; children: ReactNode }) {
  return <li><h3>{title}</h3><div className="stack">{children}</div></li>
}

function Command({ text }: { text: string }) {
  return (
    <div className="command">
      <pre className="mono" tabIndex={0} aria-label="To be typed or saved">{text}</pre>
      <Copy value={text} />
    </div>
  )
}
