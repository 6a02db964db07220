import { Page } from '~/ui/Page.tsx'

export function Jobs() {
  return <Page title="Jobs">{null}</Page>
}
