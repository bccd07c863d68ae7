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
const find = (patterns: string[]) => patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort()
/** `npm run system -- FILE …` runs only these. */
const isAsked = (path: string) => only.length === 0 || only.includes(path)
const tests = (name: string, found: string[], flags: string[]): Check[] => {
  if (found.length === 0) {
    console.error(`${name}: there is no such test file`)
    process.exit(1)
  }
  const files = found.filter(isAsked)
  return files.length > 0 ? [{ name, command: node, args: ['--test', ...flags, ...files] }] : []
}

const tsc = bin('typescript', 'lib/tsc.js')
const unit = () => tests('unit', find(['src/**/*.test.ts', 'web/**/*.test.ts', 'test/*.test.ts']), ['--test-isolation=none'])
const fast = (): Check[] => [
  { name: 'types', command: tsc.command, args: [...tsc.args, '-p', 'tsconfig.json'] },
  { name: 'types of the portal', command: tsc.command, args: [...tsc.args, '-p', 'web/tsconfig.json'] },
  {
    name: 'lint',
    command: node,
    args: [join(root, 'node_modules/@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
  },
  ...unit(),
]
const install: Check = { name: 'install what start needs', command: 'sh', args: ['./heddle', 'version'] }
const TIMEOUT = '--test-timeout=600000'
/** Times are asserted or processes are killed: these run alone. Everything else under test/ runs two at a time. */
const ALONE = find(['test/system/{access,budget,dbt}.test.ts', 'test/faults/*.test.ts'])
const system = (): Check[] => [
  install,
  ...tests(
    'system',
    find(['test/{system,attacks,browser}/*.test.ts']).filter((path) => !ALONE.includes(path)),
    [TIMEOUT, '--test-concurrency=2'],
  ),
  ...tests('faults and times', ALONE, [TIMEOUT, '--test-concurrency=1']),
]
const tiers: Record<string, () => Check[]> = {
  fast,
  unit,
  system,
  all: () => [...fast(), ...system()],
  soak: () => [install, ...tests('soak', find(['test/soak/*.test.ts']), ['--test-concurrency=1'])],
}

const checks = Object.hasOwn(tiers, asked) ? tiers[asked]!() : null
if (!checks) {
  console.error(`No tier "${asked}": ${Object.keys(tiers).join(', ')}`)
  process.exit(2)
}
const began = Date.now()
const failed: string[] = []
for (const { name, command, args } of checks) {
  const start = Date.now()
  console.log(`\n== ${name}`)
  const { status, signal } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: process.env })
  const verdict = status === 0 ? 'ok' : `FAILED (${signal ?? status})`
  console.log(`== ${name}: ${verdict}, ${((Date.now() - start) / 1000).toFixed(1)} s`)
  if (status !== 0) failed.push(name)
}
const seconds = ((Date.now() - began) / 1000).toFixed(0)
console.log(
  failed.length === 0
    ? `\n== ${asked}: everything passed in ${seconds} s`
    : `\n== ${asked}: FAILED after ${seconds} s: ${failed.join(', ')}`,
)
process.exitCode = failed.length === 0 ? 0 : 1
