import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { samplePlan, sampleRunSummary } from '../client/sample-answers.ts'
import { withBench } from './try-cli.ts'
import { findWorkingTree, readAddress, readTree } from './working-tree.ts'

const SPEC = 'apiVersion: core.oam.dev/v1beta1\nkind: Application\nmetadata:\n  name: planes\n  namespace: fleet\n'

async function withTree(body: (tree: string) => Promise<void>): Promise<void> {
  const tree = await mkdtemp(join(tmpdir(), 'heddle-tree-'))
  try {
    await mkdir(join(tree, 'dbt/models'), { recursive: true })
    await mkdir(join(tree, 'dbt/target'), { recursive: true })
    await writeFile(join(tree, 'data_product_spec.yml'), SPEC)
    await writeFile(join(tree, 'data_product_deploy.yml'), 'kind: Pipeline\n')
    await writeFile(join(tree, 'README.md'), 'about')
    await writeFile(join(tree, 'dbt/models/planes.sql'), 'select 1')
    await writeFile(join(tree, 'dbt/target/manifest.json'), '{}')
    await body(tree)
  } finally {
    await rm(tree, { recursive: true, force: true })
  }
}
const PLANNED = ['data_product_deploy.yml', 'data_product_spec.yml', 'dbt/models/planes.sql']

test('a plan takes the files a release is made of, with git or without', () =>
  withTree(async (tree) => {
    assert.equal(await findWorkingTree(join(tree, 'dbt/models')), tree)
    assert.deepEqual(Object.keys(await readTree(tree)), PLANNED)
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', tree, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args])
    git('init', '-q')
    await writeFile(join(tree, '.gitignore'), 'dbt/target/\n')
    assert.deepEqual(Object.keys(await readTree(tree)), PLANNED)
    git('add', '.')
    git('commit', '-qm', 'first')
    await rm(join(tree, 'dbt/models/planes.sql'))
    await writeFile(join(tree, 'dbt/models/new.sql'), 'select 2')
    assert.deepEqual(Object.keys(await readTree(tree)), [...PLANNED.slice(0, 2), 'dbt/models/new.sql'])
    await writeFile(join(tree, 'dbt/big.csv'), 'x'.repeat(1_048_577))
    await assert.rejects(readTree(tree), { code: 'CLI_TREE_LIMIT' })
  }))

test('the product is the one of the spec; of a spec that cannot be read, the one of the origin', () =>
  withTree(async (tree) => {
    assert.equal(await readAddress(tree), 'fleet/planes')
    await writeFile(join(tree, 'data_product_spec.yml'), 'metadata: {name: [\n')
    await assert.rejects(readAddress(tree), { code: 'CLI_PRODUCT_MISSING' })
    execFileSync('git', ['-C', tree, 'init', '-q'])
    execFileSync('git', ['-C', tree, 'remote', 'add', 'origin', 'http://127.0.0.1:4000/git/fleet/planes.git'])
    assert.equal(await readAddress(tree), 'fleet/planes')
  }))

test('plan sends the tree; --detailed-exitcode tells a change from none, refused specs end with 3', () =>
  withTree((tree) => {
    let plan: object = samplePlan
    return withBench(
      { 'POST /products/fleet/planes/plan': () => plan, 'POST /products/fleet/planes/deploy': () => sampleRunSummary },
      async ({ heddle, double, folder }) => {
        const data = ['--data', join(folder, 'heddle-data')]
        const changes = await heddle(['plan', '--detailed-exitcode', '--env', 'prod', ...data], { cwd: join(tree, 'dbt') })
        assert.equal(changes.code, 10, changes.err)
        assert.deepEqual(Object.keys((double.heard[0]!.body as { files: object }).files), PLANNED)
        assert.equal(double.heard[0]!.query.get('environment'), 'prod')
        assert.equal((await heddle(['plan', '-C', tree, ...data])).code, 0)
        await writeFile(join(tree, '.heddle.yml'), 'environment: dev\n')
        assert.equal((await heddle(['deploy', '--dry-run', '-C', tree, ...data])).code, 0)
        assert.deepEqual(
          [double.heard.at(-1)!.path.endsWith('/plan'), double.heard.at(-1)!.query.get('environment')],
          [true, 'dev'],
        )
        plan = { ...samplePlan, steps: [], affected: [], summary: 'Nothing to change as of 13:05' }
        assert.equal((await heddle(['plan', '--detailed-exitcode', '-C', tree, ...data])).code, 0)
        plan = { ...samplePlan, steps: [], diagnostics: [{ severity: 'error', code: 'SPEC_FILE_REFUSED', what: 'no' }] }
        assert.equal((await heddle(['plan', '-C', tree, ...data])).code, 3)
        assert.equal((await heddle(['plan'])).code, 2)
      },
    )
  }))

test('validate needs no server: place, caret and exit 3; the same facts as one object', () =>
  withTree((tree) =>
    withBench({}, async ({ heddle, double }) => {
      await writeFile(join(tree, 'data_product_spec.yml'), `${SPEC}spec:\n  components: 7\n`)
      const { code, out } = await heddle(['validate', '-C', tree])
      assert.equal(code, 3)
      assert.match(out, /^data_product_spec\.yml:7:\d+ error\[SPEC_[A-Z_]+\] components/m)
      assert.match(out, /\^/)
      assert.match(out, /\d+ errors?, \d+ warnings? in 2 files \(\d+ ms\)\n$/)
      const json = await heddle(['validate', '-C', tree, '--json'])
      const [result] = json.json() as [{ valid: boolean; product: string; errors: number; diagnostics: unknown[] }]
      assert.deepEqual([json.code, result.valid, result.product], [3, false, 'fleet/planes'])
      assert.ok(result.errors > 0 && result.diagnostics.length >= result.errors)
      assert.equal(double.heard.length, 0)
    }),
  ))

test('explain --expanded writes the short forms out', () =>
  withTree((tree) =>
    withBench({}, async ({ heddle }) => {
      const { code, out, err } = await heddle(['explain', '--expanded', '-C', tree])
      assert.equal(code, 0, err)
      assert.ok(out.includes('version: 0.1.0'), out)
    }),
  ))
