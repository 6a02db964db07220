import { type InfiniteData, useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useMemo } from 'react'
import type { Source } from '~/api/types.ts'
import { type SourceFilter, sourceList } from './api.ts'

/** So many cameras are brought by themselves: more would only be a carpet. */
const MOST = 5000

/** How far the cameras that match are here, where not all are. */
export interface Part { here: number; total: number; state: 'coming' | 'too_many' | 'failed'; more: () => void }

/** The cameras that match, all of them: map and list have the first page at once, and the others as they come. */
export function useInView(filter: SourceFilter) {
  const query = useInfiniteQuery(sourceList(filter))
  const sources = useMemo(() => flat(query.data), [query.data])
  const total = query.data?.pages[0]?.total ?? sources.length
  const { hasNextPage, isFetching, isFetchNextPageError, isPlaceholderData, fetchNextPage } = query
  const isPart = hasNextPage && !isPlaceholderData
  const comes = isPart && sources.length < MOST && !isFetchNextPageError
  useEffect(() => {
    if (comes && !isFetching) void fetchNextPage()
  }, [comes, isFetching, fetchNextPage])
  const part: Part | null = isPart ? { here: sources.length, total, state: comes || query.isFetchingNextPage ? 'coming' : isFetchNextPageError ? 'failed' : 'too_many', more: () => void fetchNextPage() } : null
  return { query, sources, total, part }
}

const flat = (data: InfiniteData<{ items: Source[] }> | undefined) => data?.pages.flatMap((page) => page.items) ?? []
