import { Page } from '~/ui/Page.tsx'

export function Review() {
  return <Page title="Review">{null}</Page>
}
