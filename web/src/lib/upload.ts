import { type DetailedError, type HttpRequest, Upload } from 'tus-js-client'

export type Sending = 'sending' | 'waiting' | 'stuck' | 'done'
export interface SendOptions {
  metadata: Record<string, string>
  /** Keeps the uploads of different links apart in this browser's memory. */
  scope: string
  headers?: Record<string, string>
  onProgress: (done: number, total: number) => void
  /** Where it stands; when it is stuck, why, and the code of the server's problem. */
  onState: (state: Sending, reason?: string, code?: string) => void
}
export interface Sender {
  /** The upload's id, once the server has given it one. */
  id: () => string | undefined
  /** Leaves it as it is, to be gone on with. */
  stop: () => void
  again: () => void
  /** Ends it for good: what the server has of it is thrown away. What cannot be said to the server now runs out there by itself. */
  remove: () => Promise<void>
}

/** The same file, as far as a browser can tell. */
export const keyOf = (file: File) => `${file.name}:${file.size}:${file.lastModified}`

/** What the server says about a refusal; status 0 where nobody answered. */
function refusal(error: Error | DetailedError): { status: number; detail?: string; code?: string } {
  const response = 'originalResponse' in error ? error.originalResponse : null
  const status = response?.getStatus() ?? 0
  try {
    return { ...(JSON.parse(response?.getBody() || '{}') as { detail?: string; code?: string }), status }
  } catch {
    return { status }
  }
}

/** Ends an upload that is not sent from here. */
export const end = (id: string, headers: Record<string, string>): Promise<void> => Upload.terminate(`/api/v1/uploads/${id}`, { headers })

/** Sends a file by tus. A lost signal, a locked phone or a closed page only delay it: it goes on where the server stopped. */
export function send(file: File, options: SendOptions): Sender {
  let stopped = false
  const tell: SendOptions['onState'] = (...state) => { if (!stopped) options.onState(...state) }
  let moved = Date.now()
  const upload = new Upload(file, {
    endpoint: '/api/v1/uploads',
    metadata: { filename: file.name, filetype: file.type || 'application/octet-stream', ...options.metadata },
    headers: options.headers,
    fingerprint: async () => `sightline:${options.scope}:${keyOf(file)}`,
    storeFingerprintForResuming: true,
    removeFingerprintOnSuccess: true,
    retryDelays: [0, 1000, 2000, 4000, 8000, 15_000, 30_000, 30_000, 60_000],
    onBeforeRequest: (request: HttpRequest) => {
      const raw = request.getUnderlyingObject() as XMLHttpRequest | undefined
      if (raw && 'timeout' in raw && request.getMethod() !== 'PATCH') raw.timeout = 30_000
    },
    onShouldRetry: (error) => {
      const { status, code } = refusal(error)
      // Of the conflicts only a wrong offset is mended by asking again.
      const again = status === 0 || status === 408 || code === 'wrong_offset' || status === 423 || status === 429 || status >= 500
      if (again) tell('waiting')
      return again
    },
    onProgress: (done, total) => { moved = Date.now(); tell('sending'); options.onProgress(done, total) },
    onSuccess: () => { rest(); options.onProgress(file.size, file.size); tell('done') },
    onError: (error) => {
      const { status, detail, code } = refusal(error)
      if (status === 0) return tell('waiting')
      rest()
      tell('stuck', detail || `The server answered ${status}.`, code)
    },
  })
  async function start() {
    const earlier = (await upload.findPreviousUploads()).filter((p) => p.size === file.size)[0]
    if (stopped) return
    if (earlier && !upload.url) upload.resumeFromPreviousUpload(earlier)
    moved = Date.now()
    listen()
    tell('sending')
    upload.start()
  }
  function again() {
    if (stopped) return
    void upload.abort().then(start, start)
  }
  // A connection that died without a word is noticed by its silence.
  const silence = 45_000
  let watch: ReturnType<typeof setInterval> | undefined
  const lost = () => tell('waiting')
  function rest() {
    clearInterval(watch)
    watch = undefined
    removeEventListener('online', again)
    removeEventListener('offline', lost)
  }
  function listen() {
    if (watch) return
    watch = setInterval(() => { if (navigator.onLine && Date.now() - moved > silence) { moved = Date.now(); again() } }, 5000)
    addEventListener('online', again)
    addEventListener('offline', lost)
  }
  void start()
  return {
    id: () => upload.url?.split('/').at(-1),
    stop: () => { stopped = true; rest(); void upload.abort() },
    again,
    remove: () => { stopped = true; rest(); return upload.abort(true).catch(() => undefined) },
  }
}
