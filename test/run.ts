import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The tiers. `npm test` is the fast one; `npm cit` (npm ci, then npm test, told apart by npm_command) runs everything but the soak.
 *   fast    types, lint, unit tests of src, the tests that guard the structure
 *   system  the whole platform on real PostgreSQL, git and dbt: attacks, faults, command line, browser
 *   soak    long fault loops
 */
const root = join(import.meta.dirname, '..')
const node = process.execPath
const [tier, ...only] = process.argv.slice(2)
const asked = tier ?? (process.env.npm_command === 'install-ci-test' ? 'all' : 'fast')

type Check = { name: string; command: string; args: string[] }

const bin = (name: string, path: string) => ({ command: node, args: [join(root, 'node_modules', name, path)] })
const tests = (name: string, patterns: string[], flags: string[]): Check => {
  const files = patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .filter((path) => only.length === 0 || only.includes(path))
    .sort()
  if (files.length === 0) {
    console.error(`${name}: no test file matches ${patterns.join(', ')}`)
    process.exit(1)
  }
  return { name, command: node, args: ['--test', ...flags, ...files] }
}

const tsc = bin('typescript', 'lib/tsc.js')
const unit = () => tests('unit', ['src/**/*.test.ts', 'web/**/*.test.ts', 'test/*.test.ts'], ['--test-isolation=none'])
const fast = (): Check[] => [
  { name: 'types', command: tsc.command, args: [...tsc.args, '-p', 'tsconfig.json'] },
  { name: 'types of the portal', command: tsc.command, args: [...tsc.args, '-p', 'web/tsconfig.json'] },
  {
    name: 'lint',
    command: node,
    args: [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
  },
  unit(),
]
const install: Check = { name: 'install what start needs', command: 'sh', args: ['./heddle', 'version'] }
const system = (): Check[] => [
  install,
  tests(
    'system',
    ['test/system/*.test.ts', 'test/attacks/*.test.ts', 'test/faults/*.test.ts', 'test/browser/*.test.ts'],
    ['--test-concurrency=1'],
  ),
]
const tiers: Record<string, () => Check[]> = {
  fast,
  unit: () => [unit()],
  system,
  all: () => [...fast(), ...system()],
  soak: () => [install, tests('soak', ['test/soak/*.test.ts'], ['--test-concurrency=1'])],
}

const checks = Object.hasOwn(tiers, asked) ? tiers[asked]!() : null
if (!checks) {
  console.error(`No tier "${asked}": ${Object.keys(tiers).join(', ')}`)
  process.exit(2)
}
const began = Date.now()
for (const { name, command, args } of checks) {
  const start = Date.now()
  console.log(`\n== ${name}`)
  const { status, signal } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: process.env })
  console.log(
    `== ${name}: ${status === 0 ? 'ok' : `FAILED (${signal ?? status})`}, ${((Date.now() - start) / 1000).toFixed(1)} s`,
  )
  if (status !== 0) process.exit(1)
}
console.log(`\n== ${asked}: everything passed in ${((Date.now() - began) / 1000).toFixed(0)} s`)
