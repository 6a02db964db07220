import { Page } from '~/ui/Page.tsx'

export function Cases() {
  return <Page title="Cases">{null}</Page>
}
