import { Button } from '@mantine/core'
import { IconChecks, IconRefresh } from '@tabler/icons-react'
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { client, take } from '~/api/client.ts'
import { sentence } from '~/lib/format.ts'
import { Empty, RowsToCome, TroubleNote } from '~/ui/Notes.tsx'
import { Page } from '~/ui/Page.tsx'
import { Status } from '~/ui/Status.tsx'
import { Ago } from '~/ui/Time.tsx'
import { tell, tellTrouble } from '~/ui/Toasts.tsx'

const deadJobs = queryOptions({
  queryKey: ['jobs', 'dead'],
  queryFn: async () => (await take(client.GET('/api/v1/jobs', { params: { query: { state: 'dead' } } }))).items,
})

/** Work in the background that used up its tries. */
export function Jobs() {
  const queries = useQueryClient()
  const { data, error, refetch } = useQuery(deadJobs)
  const retry = useMutation({
    mutationFn: (id: string) => take(client.POST('/api/v1/jobs/{id}/retry', { params: { path: { id } } })),
    onSuccess: () => { tell('It is tried again.'); void queries.invalidateQueries({ queryKey: ['jobs'] }) }, onError: tellTrouble,
  })
  return (
    <Page title="Jobs" under="Work in the background that was given up after its last try. Nothing is lost: it can be tried again.">
      <div className="table-wrap">
        {error ? <div className="pad"><TroubleNote error={error} retry={() => refetch()} /></div> : !data ? <RowsToCome rows={3} /> : data.length === 0 ? <Empty icon={IconChecks} title="Nothing was given up">Jobs that fail for good appear here with their last error.</Empty> : (
          <table className="table">
            <thead><tr><th>Job</th><th>State</th><th className="right">Tries</th><th>Last error</th><th>Made</th><th><span className="unseen">Try again</span></th></tr></thead>
            <tbody>
              {data.map((job) => (
                <tr key={job.id}>
                  <td className="main">{sentence(job.kind)}</td>
                  <td><Status of={job.state} /></td>
                  <td className="right num" data-label="Tries">{job.attempts}</td>
                  <td className="small" data-label="Last error" style={{ overflowWrap: 'anywhere' }}>{job.last_error}</td>
                  <td className="dim" data-label="Made"><Ago at={job.created_at} /></td>
                  <td className="right"><Button variant="default" leftSection={<IconRefresh size={14} />} onClick={() => retry.mutate(job.id)}>Try again</Button></td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </Page>
  )
}
