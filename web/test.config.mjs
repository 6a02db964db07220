// Bundles the tests of the pure logic for `node --test`; Node 20 cannot read TypeScript itself.
import { readdirSync } from 'node:fs'

const input = readdirSync('src/lib').filter((name) => name.endsWith('.test.ts')).map((name) => `src/lib/${name}`)
export default { input, platform: 'node', output: { dir: 'node_modules/.tests', format: 'esm' } }
