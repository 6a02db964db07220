import { Page } from '~/ui/Page.tsx'

export function Connectors() {
  return <Page title="Connectors">{null}</Page>
}
