import { duration } from '~/lib/time.ts'

/** How far the clock of a connector's machine is from the server's; null where that is less than answers may take on their way. */
export const clockText = (offsetMs: number | null) =>
  (offsetMs === null || Math.abs(offsetMs) < 2_000 ? null : `Its clock is ${duration(offsetMs)} ${offsetMs > 0 ? 'ahead of' : 'behind'} the server’s.`)
