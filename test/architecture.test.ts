import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { checkSource, type SourceFile } from './structure/check-source.ts'
import { LAYERS } from './structure/layers.ts'

const root = join(import.meta.dirname, '..')
const sources: SourceFile[] = globSync('**/*.ts', { cwd: join(root, 'src') })
  .filter((path) => !path.endsWith('.test.ts') && !path.includes('fixtures/'))
  .map((path) => ({ path, text: readFileSync(join(root, 'src', path), 'utf8') }))

test('the source keeps every structural rule', () => {
  assert.ok(sources.length > 150, `only ${sources.length} files were looked at`)
  assert.deepEqual(checkSource(sources), [])
})

const clean: SourceFile[] = [
  { path: 'core/a.ts', text: 'export const a = 1' },
  { path: 'store/b.ts', text: "import { a } from '../core/a.ts'\nexport const b = a" },
]
const violations: { rule: string; file: SourceFile; others?: SourceFile[] }[] = [
  { rule: 'layer', file: { path: 'core/up.ts', text: "import { b } from '../store/b.ts'\nexport const up = b" } },
  { rule: 'layer', file: { path: 'plan/writes.ts', text: "import type { b } from '../store/b.ts'\nexport type W = typeof b" } },
  {
    rule: 'layer',
    file: { path: 'run/sideways.ts', text: "import { x } from '../access/x.ts'\nexport const y = x" },
    others: [{ path: 'access/x.ts', text: 'export const x = 1' }],
  },
  {
    rule: 'layer',
    file: { path: 'adapters/git/x.ts', text: "import { y } from '../dbt/y.ts'\nexport const x = y" },
    others: [{ path: 'adapters/dbt/y.ts', text: 'export const y = 1' }],
  },
  {
    rule: 'layer',
    file: { path: 'commands/x.ts', text: "import { y } from '../adapters/dbt/y.ts'\nexport const x = y" },
    others: [{ path: 'adapters/dbt/y.ts', text: 'export const y = 1' }],
  },
  {
    rule: 'layer',
    file: { path: 'client/x.ts', text: "import { y } from '../http/app.ts'\nexport const x = y" },
    others: [{ path: 'http/app.ts', text: 'export const y = 1' }],
  },
  { rule: 'layer', file: { path: 'cli/x.ts', text: "import { b } from '../store/b.ts'\nexport const x = b" } },
  { rule: 'layer', file: { path: 'extras/x.ts', text: 'export const x = 1' } },
  { rule: 'layer', file: { path: 'store/lost.ts', text: "import { x } from './gone.ts'\nexport const y = x" } },
  {
    rule: 'cycle',
    file: { path: 'store/c.ts', text: "import { d } from './d.ts'\nexport const c = d" },
    others: [{ path: 'store/d.ts', text: "import { c } from './c.ts'\nexport const d = c" }],
  },
  { rule: 'pure', file: { path: 'plan/now.ts', text: 'export const now = () => Date.now()' } },
  { rule: 'pure', file: { path: 'spec/env.ts', text: 'export const home = process.env.HOME' } },
  { rule: 'environment', file: { path: 'run/env.ts', text: 'export const home = process.env.HOME' } },
  { rule: 'name', file: { path: 'run/run-utils.ts', text: 'export const x = 1' } },
  { rule: 'error', file: { path: 'run/throws.ts', text: "export function x() { throw new Error('no') }" } },
  { rule: 'class', file: { path: 'run/thing.ts', text: 'export class Thing {}' } },
  {
    rule: 'barrel',
    file: { path: 'run/all.ts', text: "export * from './x.ts'" },
    others: [{ path: 'run/x.ts', text: 'export const x = 1' }],
  },
  { rule: 'size', file: { path: 'run/long.ts', text: 'export const x = 1\n'.repeat(501) } },
]

test('clean fixtures give no finding', () => assert.deepEqual(checkSource(clean), []))

for (const { rule, file, others = [] } of violations) {
  test(`${file.path} breaks the rule "${rule}"`, () => {
    const found = checkSource([...clean, ...others, file])
    assert.ok(
      found.some((finding) => finding.rule === rule),
      JSON.stringify(found),
    )
  })
}

test('type imports make no cycle', () => {
  const files = [
    { path: 'store/c.ts', text: "import type { D } from './d.ts'\nexport type C = D" },
    { path: 'store/d.ts', text: "import type { C } from './c.ts'\nexport type D = C" },
  ]
  assert.deepEqual(checkSource(files), [])
})

test('docs/ARCHITECTURE.md shows the table that the code keeps', () => {
  const text = readFileSync(join(root, 'docs/ARCHITECTURE.md'), 'utf8')
  for (const [folder, layer] of Object.entries(LAYERS)) {
    if (folder === '') continue
    assert.match(text, new RegExp(`^\\| ${layer} \\|.*\`${folder}/\``, 'm'), `${folder} in layer ${layer}`)
  }
})
