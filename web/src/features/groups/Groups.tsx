import { Page } from '~/ui/Page.tsx'

export function Groups() {
  return <Page title="Groups">{null}</Page>
}
