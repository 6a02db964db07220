import { Page } from '~/ui/Page.tsx'

export function Tokens() {
  return <Page title="Tokens">{null}</Page>
}
