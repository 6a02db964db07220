import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { type Plugin, defineConfig } from 'vite'

const CSP = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; form-action 'self'; base-uri 'none'"

/** The two pages as the server gives them: links get the guest page, the rest the office. */
const pages = (): Plugin => ({
  name: 'pages',
  configureServer: (server) => { server.middlewares.use(rewrite) },
  configurePreviewServer: (server) => {
    server.middlewares.use((_req, res, next) => { res.setHeader('Content-Security-Policy', CSP); next() })
    server.middlewares.use(rewrite)
  },
})

function rewrite(req: { url?: string; headers: { accept?: string } }, _res: unknown, next: () => void) {
  const path = (req.url ?? '/').split('?')[0] ?? '/'
  const isPage = req.headers.accept?.includes('text/html') && !path.startsWith('/api/') && !path.includes('.')
  if (isPage) req.url = path.startsWith('/f/') ? '/guest.html' : '/staff.html'
  next()
}

/** Without SIGHTLINE_URL, `npm run dev` and `npm run preview` answer /api from a small mock; with it, from that server. */
function mock(): Plugin {
  const use = async (server: { middlewares: { use: (handler: never) => unknown } }) => {
    if (process.env.SIGHTLINE_URL) return
    const { answer } = await import('./dev/mock.ts')
    server.middlewares.use(answer as never)
  }
  return { name: 'mock', configureServer: use, configurePreviewServer: use }
}

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url))

const proxy = process.env.SIGHTLINE_URL ? { '/api': { target: process.env.SIGHTLINE_URL, changeOrigin: true } } : undefined

export default defineConfig({
  appType: 'mpa',
  plugins: [mock(), pages(), react()],
  resolve: { alias: { '~': fileURLToPath(new URL('src', import.meta.url)) } },
  build: {
    target: 'es2022',
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 2500,
    rolldownOptions: { input: { staff: page('staff.html'), guest: page('guest.html') } },
  },
  server: { proxy },
  preview: { proxy },
})
