import { SegmentedControl, useMantineColorScheme } from '@mantine/core'
import { Link } from '@tanstack/react-router'
import { PasswordForm } from '~/features/session/PasswordForm.tsx'
import { useMe } from '~/features/session/me.ts'
import { duration, zoneName } from '~/lib/time.ts'
import { Facts, Page } from '~/ui/Page.tsx'

export function Settings() {
  const me = useMe()
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  const place = me.installation
  return (
    <Page title="Settings" narrow>
      <div className="stack" style={{ gap: 24 }}>
        <section className="panel pad stack wide" aria-labelledby="s-look">
          <h2 id="s-look">Colours</h2>
          <SegmentedControl style={{ alignSelf: 'flex-start' }} aria-label="Colours" value={colorScheme} onChange={(v) => setColorScheme(v as 'auto' | 'light' | 'dark')}
            data={[{ value: 'auto', label: 'As the system' }, { value: 'light', label: 'Light' }, { value: 'dark', label: 'Dark' }]} />
        </section>
        <section className="panel pad stack wide" aria-labelledby="s-pass" style={{ maxWidth: 440 }}>
          <h2 id="s-pass">Password</h2>
          <PasswordForm />
        </section>
        <section className="panel pad stack wide" aria-labelledby="s-inst">
          <h2 id="s-inst">This installation</h2>
          <Facts of={[
            ['Name', place.name],
            ['Times', `${place.time_zone} (${zoneName(new Date(), place.time_zone)})`],
            ['Longest window', duration(place.longest_window_seconds * 1000)],
            ['E-mail', place.mail_delivers ? 'Is sent' : 'Is kept here; no mail server is configured'],
            ['Streets on the map', place.has_streets ? 'Loaded' : 'Not loaded'],
          ]} />
          <p><Link to="/tokens">API tokens</Link></p>
        </section>
      </div>
    </Page>
  )
}
