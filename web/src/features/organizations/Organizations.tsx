import { Page } from '~/ui/Page.tsx'

export function Organizations() {
  return <Page title="Organizations">{null}</Page>
}
