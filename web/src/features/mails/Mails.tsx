import { Page } from '~/ui/Page.tsx'

export function Mails() {
  return <Page title="Mails">{null}</Page>
}
