import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import pg from 'pg'
import { readManifest } from '../../src/adapters/dbt/read-manifest.ts'
import { createDbtTransformation } from '../../src/adapters/dbt/transformation.ts'
import type { Transformation, TransformationEvent, TransformationJob } from '../../src/platform/transformation.ts'
import { startTestPostgres } from '../postgres-server.ts'

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url))
const PYTHON = process.env['HEDDLE_TEST_PYTHON'] ?? join(CHECKOUT, '.runtime/python/bin/python')
const IS_ROOT = process.getuid?.() === 0
const CANARY = 'canary-of-the-control-plane'
const SILENCE_MS = 2_500
process.env['HEDDLE_CANARY'] = CANARY

type Db = Awaited<ReturnType<typeof startTestPostgres>>
let root: string
let db: Db
let admin: pg.Client
const log: string[] = []
let projects = 0

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'heddle-dbt-test-'))
  await chmod(root, 0o711)
  db = await startTestPostgres()
  admin = new pg.Client({ ...connection(), user: db.superuser.user, password: db.superuser.password })
  await admin.connect()
  for (const name of ['one', 'two']) {
    await admin.query(`create role svc_${name} login password 'first'; create schema ${name}__build authorization svc_${name}`)
  }
})

after(async () => {
  await admin?.end()
  await db?.dispose()
  if (root) await rm(root, { recursive: true, force: true })
})

const connection = () => ({ host: db.host, port: db.port, database: 'postgres' })

const BASE = {
  'dbt_project.yml': "name: p\nversion: '1.0.0'\nconfig-version: 2\nprofile: its_own\n",
  'models/a.sql': "{{ config(materialized='table') }}\nselect 1 as id union all select 2\n",
  'models/b.sql': "select id from {{ ref('a') }}\n",
  'models/schema.yml': 'models:\n  - name: a\n    columns:\n      - name: id\n        data_tests: [unique, not_null]\n',
}
const SLEEPS = (seconds: number) => ({
  'models/a.sql': `{{ config(materialized='table') }}\nselect 1 as id, pg_sleep(${seconds})::text as s\n`,
})
/** Models whose Jinja opens files: dbt hands out agate tables, whose methods take paths. */
const reads = (path: string) =>
  `{% if execute %}{% set t = run_query('select 1 as n').from_csv('${path}') %}{% endif %}select 1 as x`
const writes = (path: string) => `{% if execute %}{% do run_query('select 1 as n').to_csv('${path}') %}{% endif %}select 1 as x`

async function makeProject(files: Record<string, string> = {}): Promise<string> {
  const folder = join(root, `project-${projects++}`)
  for (const [name, text] of Object.entries({ ...BASE, ...files })) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  return folder
}

type Run = { result: Awaited<ReturnType<Transformation['run']>>; events: TransformationEvent[]; ms: number; firstNodeMs: number }

async function run(
  dbt: Transformation,
  projectDir: string,
  over: Partial<TransformationJob> & {
    signal?: AbortSignal
    onEvent?(event: TransformationEvent): void
    who?: 'one' | 'two'
  } = {},
): Promise<Run> {
  const { signal = new AbortController().signal, onEvent, who = 'one', ...rest } = over
  const target = { ...connection(), schema: `${who}__build`, user: `svc_${who}`, password: 'first' }
  const job: TransformationJob = {
    key: randomUUID(),
    product: `product-${who}`,
    environment: 'prod',
    command: 'build',
    projectDir,
    select: '',
    threads: 2,
    target,
    ports: [],
    vars: {},
    timeoutMs: 20_000,
    ...rest,
  }
  const events: TransformationEvent[] = []
  const began = performance.now()
  let firstNodeMs = Number.POSITIVE_INFINITY
  const result = await dbt.run(
    job,
    (event) => {
      events.push(event)
      if (event.kind === 'node-started') firstNodeMs = Math.min(firstNodeMs, performance.now() - began)
      onEvent?.(event)
    },
    signal,
  )
  return { result, events, ms: performance.now() - began, firstNodeMs }
}

const codes = ({ result }: Run) => result.diagnostics.map(({ code }) => code)
const startedPid = (event: TransformationEvent) => (event.kind === 'started' ? event.pid : 0)

async function until(condition: () => Promise<boolean> | boolean, ms: number): Promise<boolean> {
  const end = performance.now() + ms
  for (;;) {
    if (await condition()) return true
    if (performance.now() > end) return false
    await sleep(20)
  }
}

/** A zombie is dead, though it still has a number. */
async function isAlive(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)
  if (process.platform !== 'linux')
    return promisify(execFile)('ps', ['-p', String(pid)]).then(
      () => true,
      () => false,
    )
  return text !== null && !/\) [ZX] /.test(text)
}

const backends = async () =>
  Number((await admin.query("select count(*) from pg_stat_activity where usename like 'svc_%'")).rows[0].count)

/** The fork server as on a kernel without Landlock. */
async function writeServerWithoutLandlock(): Promise<string> {
  const path = join(root, 'fork_server_without_landlock.py')
  const folder = JSON.stringify(join(CHECKOUT, 'python'))
  const lines = [
    'import runpy, sys',
    'sys.dont_write_bytecode = True',
    `sys.path.insert(0, ${folder})`,
    'import isolate',
    'isolate.landlock_abi = lambda: 0',
  ]
  await writeFile(path, [...lines, `runpy.run_path(${folder} + '/fork_server.py', run_name='__main__')`, ''].join('\n'))
  return path
}

const rungs = [
  ...(IS_ROOT ? [{ name: 'as root', uidBase: 52_000, landlock: true }] : []),
  ...(IS_ROOT ? [{ name: 'as root without Landlock', uidBase: 54_000, landlock: false }] : []),
  { name: 'as one user', uidBase: null, landlock: true },
]

for (const { name, uidBase, landlock } of rungs) {
  describe(`isolation ${name}`, () => {
    let dbt: Transformation
    let serverPid: number
    let isolation: string
    before(async () => {
      const workDir = join(root, `work-${uidBase}`)
      const script = landlock ? {} : { serverScript: await writeServerWithoutLandlock() }
      dbt = createDbtTransformation({ python: PYTHON, workDir, uidBase, ...script, log: (line) => log.push(line) })
      const warm = await dbt.warm()
      serverPid = warm.pids[0]!
      isolation = warm.isolation
    })
    after(() => dbt?.stop())

    test("the rung is said, and is the job's", async () => {
      const { events, result } = await run(dbt, await makeProject(), { command: 'parse' })
      assert.equal(result.outcome, 'succeeded')
      assert.equal(events[0]?.kind === 'started' && events[0].isolation, isolation)
      if (uidBase !== null) assert.equal(isolation, 'own-uid')
      else assert.ok(isolation === 'landlock' || isolation === 'process')
    })

    test('no variable of the control plane reaches the project, nor do the environments of the processes above it', async (t) => {
      const project = await makeProject({
        'models/b.sql':
          "select '{{ env_var('HEDDLE_CANARY', 'absent') }}'::text as canary, '{{ env_var('HOME') }}'::text as home",
      })
      assert.equal((await run(dbt, project)).result.outcome, 'succeeded')
      const { rows } = await admin.query('select canary, home from one__build.b')
      assert.equal(rows[0].canary, 'absent')
      assert.match(rows[0].home, /jobs\/[^/]+\/home$/)
      assert.ok(!(await readFile(`/proc/${serverPid}/environ`, 'utf8').catch(() => '')).includes(CANARY))
      if (isolation === 'process') return t.skip('this kernel has no Landlock and we are not root: nothing else is promised')
      await refuse([process.pid, serverPid].map((pid) => reads(`/proc/${pid}/environ`)))
    })

    test('a macro opens no file of others, and writes none, not even in its checkout', async (t) => {
      if (isolation === 'process') return t.skip('this kernel has no Landlock and we are not root: nothing is promised')
      const other = await makeProject({ 'seeds/people.csv': 'name\nJane Roe\n' })
      await run(dbt, other, { who: 'two', command: 'parse' })
      const own = await makeProject({ 'data.csv': 'name\nown\n' })
      await writeFile(join(own, 'models/b.sql'), reads(join(own, 'data.csv')))
      // The way of the attack itself is open, or the refusals below would prove nothing.
      assert.equal((await run(dbt, own, { select: 'b' })).result.outcome, 'succeeded')
      const jobs = join(root, `work-${uidBase}`)
      const secrets = ['uids.json', 'jobs.sock', 'targets/product-two/prod/target/manifest.json'].map((file) => join(jobs, file))
      const places = [join(own, 'written.csv'), join(jobs, 'targets/product-two/prod/target/x.csv')]
      // Without Landlock everyone's folder for temporary files is open.
      if (landlock) places.push(join(tmpdir(), `${randomUUID()}.csv`))
      await refuse([...[join(other, 'seeds/people.csv'), '/etc/shadow', ...secrets].map(reads), ...places.map(writes)])
      for (const path of places) await assert.rejects(stat(path))
      // A link in the checkout, and seeds from a folder outside, lead nowhere either.
      const linked = await makeProject()
      await symlink(join(other, 'seeds'), join(linked, 'seeds'))
      const seedPaths = `seed-paths: ['${join(other, 'seeds')}']\n`
      const outside = await makeProject({ 'dbt_project.yml': BASE['dbt_project.yml'] + seedPaths })
      for (const project of [linked, outside]) {
        await run(dbt, project, { select: 'people' })
        assert.equal((await admin.query("select to_regclass('one__build.people') as found")).rows[0].found, null)
      }
    })

    /** Every attack is a model of one build, and each of them fails. */
    async function refuse(attacks: string[]): Promise<void> {
      const files = Object.fromEntries(attacks.map((text, n) => [`models/attack_${n}.sql`, text]))
      const { events } = await run(dbt, await makeProject(files), { select: 'attack_*' })
      const ends = events.filter((event) => event.kind === 'node-finished')
      assert.equal(ends.length, attacks.length)
      for (const end of ends) {
        assert.equal(end.status, 'error', attacks[Number(end.name.split('_')[1])])
        assert.match(end.message!, /Permission denied|No such file|No such device/)
      }
    }

    test('a job holds no capability, no other groups and no way to new rights', {
      skip: process.platform !== 'linux' && 'Linux only',
    }, async () => {
      const seen: string[] = []
      const project = await makeProject(SLEEPS(0.5))
      await run(dbt, project, {
        onEvent: (event) => {
          if (event.kind === 'node-started' && event.name === 'a')
            void readFile(`/proc/${seen[0]}/status`, 'utf8').then((text) => seen.push(text))
          if (event.kind === 'started') seen.push(String(event.pid))
        },
      })
      const status = seen[1]!
      assert.match(status, /NoNewPrivs:\s+1/)
      if (uidBase === null) return
      const uid = uidBase + Number(JSON.parse(await readFile(join(root, `work-${uidBase}`, 'uids.json'), 'utf8'))['product-one'])
      assert.match(status, new RegExp(`Uid:\\s+${uid}\\s+${uid}\\s+${uid}\\s+${uid}\\n`))
      assert.match(status, /CapEff:\s+0+\n/)
      assert.match(status, /Groups:\s*\n/)
    })
  })
}

describe('jobs', () => {
  let dbt: Transformation
  let serverPid: number
  before(async () => {
    dbt = createDbtTransformation({
      python: PYTHON,
      workDir: join(root, 'work'),
      uidBase: null,
      silenceMs: SILENCE_MS,
      log: (line) => log.push(line),
    })
    serverPid = (await dbt.warm()).pids[0]!
  })
  after(() => dbt?.stop())

  test('a green build, event by event; a second one does not parse again, though the password is new', async () => {
    const project = await makeProject()
    const first = await run(dbt, project, { ports: [{ object: 'things', from: 'a' }] })
    assert.deepEqual([first.result.outcome, first.result.diagnostics], ['succeeded', []])
    const finished = first.events.filter((event) => event.kind === 'node-finished')
    assert.deepEqual(finished.map(({ name, status }) => `${name} ${status}`).sort(), [
      'a success',
      'b success',
      'not_null_a_id pass',
      'unique_a_id pass',
    ])
    assert.deepEqual(
      finished.find(({ name }) => name === 'a'),
      { ...finished.find(({ name }) => name === 'a'), rows: 2, file: 'models/a.sql', message: 'SELECT 2' },
    )
    const starts = first.events.filter((event) => event.kind === 'node-started')
    assert.deepEqual(
      starts.map(({ index, total }) => [index, total]),
      [
        [1, 4],
        [2, 4],
        [3, 4],
        [4, 4],
      ],
    )
    assert.ok(
      first.events.findIndex((event) => event.kind === 'node-finished') <
        first.events.findLastIndex((event) => event.kind === 'node-started'),
      'live',
    )

    const { nodes } = await readManifest(first.result.manifestPath!)
    assert.deepEqual(
      nodes
        .filter(({ resource }) => resource === 'model')
        .map(({ name, schema, materialized, columns }) => [name, schema, materialized, columns]),
      [
        ['a', 'one__build', 'table', ['id']],
        ['b', 'one__build', 'view', []],
      ],
    )

    await admin.query("alter role svc_one password 'second'")
    const target = { ...connection(), schema: 'one__build', user: 'svc_one', password: 'second' }
    const second = await run(dbt, project, { target })
    await admin.query("alter role svc_one password 'first'")
    assert.equal(second.result.outcome, 'succeeded')
    assert.ok(second.events.some((event) => event.kind === 'log' && /0 files added, 0 files changed/.test(event.text)))
    assert.ok(second.firstNodeMs < first.firstNodeMs && second.firstNodeMs < 2_000, `${second.firstNodeMs} ms to the first node`)
    assert.deepEqual(await readdir(project), ['dbt_project.yml', 'models'], 'the checkout is as it was')
    assert.deepEqual(await readdir(join(root, 'work/jobs')), [])
  })

  test('what the author did wrong is said with file and line, without values of rows', async () => {
    const cases: { files: Record<string, string>; code: string; at: string | undefined; says: RegExp }[] = [
      {
        files: { 'models/a.sql': 'select 1 as id union all select 1\n' },
        code: 'TRANSFORM_TEST_FAILED',
        at: 'models/schema.yml:1',
        says: /unique_a_id failed: 1 row/,
      },
      {
        files: { 'models/b.sql': 'select 1 as x,\n  {{ oops(\n from x' },
        code: 'TRANSFORM_PROJECT_UNPARSABLE',
        at: 'models/b.sql:3',
        says: /expected token/,
      },
      {
        files: { 'models/b.sql': "select *\nfrom {{ ref('nope') }}\n" },
        code: 'TRANSFORM_PROJECT_UNPARSABLE',
        at: 'models/b.sql:2',
        says: /'nope' which was not found/,
      },
      {
        files: { 'models/schema.yml': 'models:\n  - name: a\n   columns: [\n' },
        code: 'TRANSFORM_PROJECT_UNPARSABLE',
        at: 'models/schema.yml:3',
        says: /schema\.yml/,
      },
      {
        files: { 'models/b.sql': "select id,\n  nope_column\nfrom {{ ref('a') }}\n" },
        code: 'TRANSFORM_MODEL_FAILED',
        at: 'models/b.sql:2',
        says: /"nope_column" does not exist/,
      },
      {
        files: {
          'models/b.sql': "{{ config(materialized='table') }}\nselect ('Jane Roe' || id)::int as x from {{ ref('a') }}\n",
        },
        code: 'TRANSFORM_MODEL_FAILED',
        at: 'models/b.sql:1',
        says: /invalid input syntax for type integer: "…"/,
      },
      {
        files: { 'packages.yml': 'packages:\n  - package: dbt-labs/dbt_utils\n    version: 1.0.0\n' },
        code: 'TRANSFORM_PACKAGES_MISSING',
        at: 'packages.yml:1',
        says: /dbt_packages/,
      },
    ]
    for (const { files, code, at, says } of cases) {
      const done = await run(dbt, await makeProject(files))
      const [found] = done.result.diagnostics
      assert.deepEqual([done.result.outcome, found?.code, found?.at && `${found.at.file}:${found.at.line}`], ['failed', code, at])
      assert.match(`${found!.what} ${found!.why}`, says)
      assert.ok(!JSON.stringify(done).includes('Jane'))
      if (code === 'TRANSFORM_PROJECT_UNPARSABLE') assert.equal(done.result.manifestPath, null)
    }
  })

  test('what dbt likes and the platform does not fails too', async () => {
    const cases: [Record<string, string>, string][] = [
      [{}, 'TRANSFORM_PORT_NOT_A_TABLE'],
      [
        { 'models/b.sql': "{{ config(materialized='table', schema='elsewhere') }}\nselect 1 as id" },
        'TRANSFORM_NODE_OUTSIDE_BUILD',
      ],
      [
        {
          'models/b.sql': "{{ config(materialized='table') }}\nselect 1 as id",
          'macros/m.sql': '{% macro generate_schema_name(custom_schema_name, node) %}public{% endmacro %}',
        },
        'TRANSFORM_NODE_OUTSIDE_BUILD',
      ],
      [
        { 'models/b.sql': "{{ config(materialized='table', grants={'select': ['public']}) }}\nselect 1 as id" },
        'TRANSFORM_GRANTS_REFUSED',
      ],
    ]
    for (const [files, code] of cases) {
      const checked = await run(dbt, await makeProject(files), { command: 'parse', ports: [{ object: 'things', from: 'b' }] })
      assert.deepEqual([checked.result.outcome, [...new Set(codes(checked))]], ['failed', [code]])
    }
  })

  test("a database that is not there is not the author's fault; an option is no selection", async () => {
    const target = { ...connection(), schema: 'one__build', user: 'svc_one', password: 'wrong' }
    const refused = await run(dbt, await makeProject(), { target })
    assert.deepEqual([refused.result.outcome, codes(refused)], ['failed', ['TRANSFORM_DATABASE_UNREACHABLE']])
    const option = await run(dbt, await makeProject(), { select: 'a --profiles-dir /tmp' })
    assert.deepEqual([option.result.outcome, codes(option), option.events], ['failed', ['TRANSFORM_SELECT_INVALID'], []])
  })

  test('two products at once, each in its own schema; a long statement is not silence', async () => {
    const project = await makeProject(SLEEPS(SILENCE_MS / 1000 + 1))
    const [one, two] = await Promise.all([run(dbt, project), run(dbt, await makeProject(SLEEPS(1)), { who: 'two' })])
    assert.deepEqual([one.result.outcome, two.result.outcome], ['succeeded', 'succeeded'])
    assert.ok(two.ms < one.ms)
    const { rows } = await admin.query("select schemaname from pg_tables where tablename = 'a' order by 1")
    assert.deepEqual(
      rows.map(({ schemaname }) => schemaname),
      ['one__build', 'two__build'],
    )
  })

  test('cancel ends the job and its statement, at whatever moment it comes', async () => {
    const isNode = (event: TransformationEvent) => event.kind === 'node-started'
    const moments: [string, (event: TransformationEvent) => boolean, number][] = [
      ['as soon as the job is there', () => true, 0],
      ['while dbt parses', () => true, 100],
      ['before the first statement', isNode, 0],
      ['while a statement runs', isNode, 200],
    ]
    for (const [moment, fits, ms] of moments) {
      const control = new AbortController()
      let at = 0
      const onEvent = (event: TransformationEvent) => {
        if (at > 0 || !fits(event)) return
        at = performance.now() + ms
        setTimeout(() => control.abort(), ms)
      }
      const cancelled = await run(dbt, await makeProject(SLEEPS(30)), { signal: control.signal, onEvent })
      assert.ok(performance.now() - at < 2_500, `${moment}: ${Math.round(performance.now() - at)} ms, by SIGKILL`)
      assert.deepEqual([cancelled.result.outcome, codes(cancelled)], ['cancelled', ['TRANSFORM_JOB_CANCELLED']], moment)
      assert.ok(await until(async () => (await backends()) === 0, 2_000), moment)
    }
    const before = await run(dbt, await makeProject(), { signal: AbortSignal.abort() })
    assert.deepEqual([before.result.outcome, before.events], ['cancelled', []])
  })

  test('a job over its time fails', async () => {
    const late = await run(dbt, await makeProject(SLEEPS(30)), { timeoutMs: 1_500 })
    assert.equal(late.result.outcome, 'failed')
    assert.ok(codes(late).includes('TRANSFORM_JOB_TIMEOUT'))
    assert.ok(late.ms < 5_000)
  })

  test('a killed job is lost at once, its statement ends by itself; a hanging one after the silence', async () => {
    for (const [signal, limit] of [
      ['SIGKILL', 1_000],
      ['SIGSTOP', SILENCE_MS * 2],
    ] as const) {
      let at = 0
      let pid = 0
      const onEvent = (event: TransformationEvent) => {
        pid ||= startedPid(event)
        if (event.kind !== 'node-started' || at > 0) return
        at = performance.now()
        process.kill(pid, signal)
      }
      const lost = await run(dbt, await makeProject(SLEEPS(30)), { onEvent })
      assert.ok(performance.now() - at < limit, `${signal}: ${performance.now() - at} ms`)
      assert.deepEqual([lost.result.outcome, codes(lost)], ['lost', ['TRANSFORM_JOB_LOST']])
      assert.equal(await isAlive(pid), false)
    }
    assert.ok(await until(async () => (await backends()) === 0, 5_000))
  })

  test('a killed fork server loses its jobs, says so and is back', async () => {
    let pid = 0
    const onEvent = (event: TransformationEvent) => {
      pid ||= startedPid(event)
      if (event.kind === 'node-started') process.kill(serverPid, 'SIGKILL')
    }
    log.length = 0
    const lost = await run(dbt, await makeProject(SLEEPS(30)), { onEvent })
    assert.deepEqual([lost.result.outcome, codes(lost)], ['lost', ['TRANSFORM_JOB_LOST']])
    assert.ok(await until(async () => !(await isAlive(pid)), 1_000))
    assert.equal((await run(dbt, await makeProject())).result.outcome, 'succeeded')
    assert.ok(
      log.some((line) => /fork server ended \(SIGKILL\); 1 running jobs are lost/.test(line)) &&
        log.some((line) => /is back/.test(line)),
    )
    serverPid = (await dbt.warm()).pids[0]!
  })
})

test('the control plane killed: no dbt process stays', { timeout: 20_000 }, async () => {
  const script = `
    import { createDbtTransformation } from ${JSON.stringify(join(CHECKOUT, 'src/adapters/dbt/transformation.ts'))}
    const { deps, job } = JSON.parse(process.argv[1])
    const dbt = createDbtTransformation({ ...deps, log: () => undefined })
    const { pids } = await dbt.warm()
    dbt.run(job, (event) => event.kind === 'started' ? pids.push(event.pid) : event.kind === 'node-started' && console.log(JSON.stringify(pids)), new AbortController().signal)`
  const job: TransformationJob = {
    key: 'k',
    product: 'product-one',
    environment: 'prod',
    command: 'build',
    projectDir: await makeProject(SLEEPS(60)),
    select: '',
    threads: 1,
    target: { ...connection(), schema: 'one__build', user: 'svc_one', password: 'first' },
    ports: [],
    vars: {},
    timeoutMs: 60_000,
  }
  const deps = { python: PYTHON, workDir: join(root, 'work-killed'), uidBase: IS_ROOT ? 53_000 : null }
  const parent: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', script, JSON.stringify({ deps, job })], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [text] = await Promise.race([once(parent.stdout!, 'data'), once(parent, 'exit')])
  const pids = JSON.parse(String(text)) as number[]
  assert.equal(pids.length, 2)
  parent.kill('SIGKILL')
  assert.ok(await until(async () => !(await Promise.all(pids.map(isAlive))).includes(true), 2_000))
})

test('inside a job, the system below Python refuses too', { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
  const probe = `
import os, socket, signal, sys, json
sys.path.insert(0, ${JSON.stringify(join(CHECKOUT, 'python'))})
import isolate
listening = [socket.create_server(('127.0.0.1', 0)) for _ in range(2)]
allowed, other = [s.getsockname()[1] for s in listening]
victim = os.fork()
if victim == 0:
    signal.pause()
pid = os.fork()
if pid == 0:
    limits = dict(tasks=64, fileBytes=1000, files=64, memoryBytes=1 << 32)
    rung = isolate.isolate(os.getppid(), None, limits, [], [sys.argv[1]], [allowed])
    def can(act):
        try:
            act()
            return True
        except OSError:
            return False
    def big():
        with open(sys.argv[1] + '/big', 'wb') as f:
            f.write(b'x' * 2000)
    print(json.dumps(dict(rung=rung, abi=isolate.landlock_abi(),
        allowed=can(lambda: socket.create_connection(('127.0.0.1', allowed), 2)),
        other=can(lambda: socket.create_connection(('127.0.0.1', other), 2)),
        listen=can(lambda: socket.create_server(('127.0.0.1', 0))),
        program=can(lambda: os.posix_spawn('/bin/true', ['true'], {})),
        passwd=can(lambda: open('/etc/passwd')), kill=can(lambda: os.kill(victim, 0)),
        write=can(lambda: open(sys.argv[1] + '/small', 'w').close()), big=can(big))))
    sys.stdout.flush()
    os._exit(0)
os.waitpid(pid, 0)
os.kill(victim, 9)
`
  const folder = join(root, 'probe')
  await mkdir(folder)
  const { stdout } = await promisify(execFile)(PYTHON, ['-IB', '-c', probe, folder])
  const { abi, rung, kill, ...can } = JSON.parse(stdout)
  if (abi < 4) return t.skip(`Landlock ${abi} does not know TCP`)
  assert.equal(rung, 'landlock')
  assert.deepEqual(can, { allowed: true, other: false, listen: false, program: false, passwd: false, write: true, big: false })
  if (abi >= 6) assert.equal(kill, false)
})
