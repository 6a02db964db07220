import react from '@vitejs/plugin-react'
import { fileURLToPath } from 'node:url'
import { type Plugin, defineConfig } from 'vite'

/** In development the two pages are served as the server does it: links get the guest page, the rest the office. */
function pages(): Plugin {
  return {
    name: 'pages',
    configureServer(server) {
      server.middlewares.use((req, _res, next) => {
        const path = (req.url ?? '/').split('?')[0] ?? '/'
        const isPage = req.headers.accept?.includes('text/html') && !path.startsWith('/api/') && !path.includes('.')
        if (isPage) req.url = path.startsWith('/f/') ? '/guest.html' : '/staff.html'
        next()
      })
    },
  }
}

/** Without SIGHTLINE_URL, `npm run dev` answers /api from a small mock; with it, from that server. */
function mock(): Plugin {
  return {
    name: 'mock',
    apply: 'serve',
    async configureServer(server) {
      if (process.env.SIGHTLINE_URL) return
      const { answer } = await import('./dev/mock.ts')
      server.middlewares.use(answer)
    },
  }
}

const page = (name: string) => fileURLToPath(new URL(name, import.meta.url))

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
  server: {
    proxy: process.env.SIGHTLINE_URL ? { '/api': { target: process.env.SIGHTLINE_URL, changeOrigin: true } } : undefined,
  },
})
