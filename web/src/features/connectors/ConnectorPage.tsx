import { Page } from '~/ui/Page.tsx'

export function ConnectorPage() {
  return <Page title="ConnectorPage">{null}</Page>
}
