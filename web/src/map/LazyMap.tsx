import { queryOptions, useQuery } from '@tanstack/react-query'
import type { ComponentProps } from 'react'
import { code } from '~/api/code.ts'
import { Trouble } from '~/api/problem.ts'
import { TroubleNote } from '~/ui/Notes.tsx'
import type { MapTarget, SourceMap } from './SourceMap.tsx'

export const mapCode = queryOptions({
  queryKey: ['code', 'map'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: code(async () => (await import('./SourceMap.tsx')).SourceMap),
})

/**
 * The map, whose code comes when it is needed. What stands beside it is there before, and without it. Without a target it shows the
 * world; where the target is not known yet, nothing.
 */
export function LazyMap({ target, ...props }: Omit<ComponentProps<typeof SourceMap>, 'target'> & { target: MapTarget | null | undefined }) {
  const { data: Map, error, refetch } = useQuery(mapCode)
  if (Map) return target !== undefined && <Map target={target} {...props} />
  return error && <div className="pad"><TroubleNote error={error} retry={() => (error instanceof Trouble ? void refetch() : location.reload())} /></div>
}
