import { Page } from '~/ui/Page.tsx'

export function CasePage() {
  return <Page title="CasePage">{null}</Page>
}
