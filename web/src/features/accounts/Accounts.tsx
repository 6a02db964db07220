import { Page } from '~/ui/Page.tsx'

export function Accounts() {
  return <Page title="Accounts">{null}</Page>
}
