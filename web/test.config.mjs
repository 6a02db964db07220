// Bundles the tests of the pure logic for `node --test`; Node 20 cannot read TypeScript itself, and Node 24
// runs no test in node_modules.
import { readdirSync } from 'node:fs'

const input = readdirSync('src', { recursive: true }).filter((name) => name.endsWith('.test.ts')).map((name) => `src/${name}`)
export default { input, platform: 'node', tsconfig: 'tsconfig.json', output: { dir: '.tests', format: 'esm' } }
