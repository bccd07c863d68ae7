import { spawn, spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
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

type Check =
  | { kind: 'command'; name: string; command: string; args: string[] }
  /** a process a file, `width` at a time */
  | { kind: 'files'; name: string; files: string[]; width: number }

const find = (patterns: string[]) => patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort()
const bin = (name: string, path: string, ...args: string[]) => ({
  kind: 'command' as const,
  command: node,
  args: [join(root, 'node_modules', name, path), ...args],
})
const files = (name: string, found: string[], width: number): Check[] => {
  if (found.length === 0) throw new Error(`${name}: there is no such test file`)
  // `npm run system -- FILE …` runs only these.
  const wanted = found.filter((path) => only.length === 0 || only.includes(path))
  return wanted.length > 0 ? [{ kind: 'files', name, files: wanted, width }] : []
}

/** Times are asserted or processes are killed: these run alone. Everything else under test/ runs two at a time. */
const ALONE = find(['test/system/{access,budget,dbt,hostile-spec}.test.ts', 'test/faults/*.test.ts'])
const unitFiles = find(['src/**/*.test.ts', 'web/**/*.test.ts', 'test/*.test.ts'])
const unit: Check = { kind: 'command', name: 'unit', command: node, args: ['--test', '--test-isolation=none', ...unitFiles] }
const install: Check = { kind: 'command', name: 'install what start needs', command: 'sh', args: ['./heddle', 'version'] }
const fast: Check[] = [
  { name: 'types', ...bin('typescript', 'lib/tsc.js', '-p', 'tsconfig.json') },
  { name: 'types of the portal', ...bin('typescript', 'lib/tsc.js', '-p', 'web/tsconfig.json') },
  { name: 'lint', ...bin('@biomejs/biome', 'bin/biome', 'check', '--error-on-warnings', '.') },
  unit,
]
const parallel = () => find(['test/{system,attacks,browser}/*.test.ts']).filter((path) => !ALONE.includes(path))
const system = (): Check[] => [install, ...files('system', parallel(), 2), ...files('faults and times', ALONE, 1)]
const tiers: Record<string, () => Check[]> = {
  fast: () => fast,
  unit: () => [unit],
  system,
  all: () => [...fast, ...system()],
  soak: () => [install, ...files('soak', find(['test/soak/*.test.ts']), 1)],
}

if (!existsSync(join(root, 'node_modules/typescript'))) {
  console.error('./heddle installs what a start needs. The tools of the tests come with: npm ci')
  process.exit(2)
}
const checks = Object.hasOwn(tiers, asked) ? tiers[asked]!() : null
if (!checks) {
  console.error(`No tier "${asked}": ${Object.keys(tiers).join(', ')}`)
  process.exit(2)
}

const began = Date.now()
const since = (start: number) => `${((Date.now() - start) / 1000).toFixed(1)} s`
const failed: string[] = []
const unsteady: string[] = []
for (const check of checks) {
  const start = Date.now()
  console.log(`\n== ${check.name}`)
  const broken = check.kind === 'command' ? runCommand(check) : await runFiles(check)
  console.log(`== ${check.name}: ${broken.length === 0 ? 'ok' : `FAILED: ${broken.join(', ')}`}, ${since(start)}`)
  failed.push(...broken)
}
if (unsteady.length > 0) console.log(`\n== UNSTEADY, passed only when run again by itself: ${unsteady.join(', ')}`)
console.log(`\n== ${asked}: ${failed.length === 0 ? 'everything passed' : `FAILED: ${failed.join(', ')}`} in ${since(began)}`)
process.exitCode = failed.length === 0 ? 0 : 1

function runCommand({ name, command, args }: Extract<Check, { kind: 'command' }>): string[] {
  return spawnSync(command, args, { cwd: root, stdio: 'inherit', env: process.env }).status === 0 ? [] : [name]
}

/** A file that fails beside others is run once more by itself, and named: on two busy cores a late process is no defect, but nobody shall overlook it. */
async function runFiles(check: Extract<Check, { kind: 'files' }>): Promise<string[]> {
  const waiting = [...check.files]
  const again: string[] = []
  const work = async () => {
    for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) if (!(await runFile(path))) again.push(path)
  }
  await Promise.all(Array.from({ length: check.width }, work))
  const broken: string[] = []
  for (const path of again) {
    if (await runFile(path)) unsteady.push(path)
    else broken.push(path)
  }
  return broken
}

function runFile(path: string): Promise<boolean> {
  const start = Date.now()
  const child = spawn(node, ['--test', '--test-timeout=600000', path], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  const out: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => out.push(chunk))
  return new Promise((resolve) => {
    child.once('close', (code) => {
      process.stdout.write(Buffer.concat(out))
      console.log(`-- ${path}: ${code === 0 ? 'ok' : 'FAILED'}, ${since(start)}`)
      resolve(code === 0)
    })
  })
}
