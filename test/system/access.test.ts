import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Agreement, NewRequest, Request } from '../../src/client/types.ts'
import type { HeddleError } from '../../src/core/fail.ts'
import { startTestPlatform, type TestPlatform } from '../platform.ts'
import { push, waitForEnd, waitForRun } from '../small-mesh.ts'

const ENCOUNTERS = 'clinical-care/encounters'
const SERVED = 'clinical_care_encounters_encounters_v1'
const PSQL = '/usr/bin/psql'

let platform: TestPlatform

before(async () => {
  platform = await startTestPlatform({ sample: true })
})
after(() => platform?.dispose())

const refused = (code: string) => (error: HeddleError) => error.code === code || assert.fail(`${error.code}: ${error.message}`)
const ask = (more: Partial<Extract<NewRequest, { kind: 'access' }>['payload']> = {}): NewRequest => ({
  kind: 'access',
  payload: { product: ENCOUNTERS, port: 'encounters', purpose: 'research', ...more },
})

/** One statement as a user's own tool runs it: psql, or node-postgres on a machine without it. */
async function sql(url: string, statement: string): Promise<{ ok: boolean; rows: string[]; error: string }> {
  if (!existsSync(PSQL)) {
    const client = await open(url)
    const ran = await client.query({ text: statement, rowMode: 'array' }).then(
      ({ rows }) => ({
        ok: true,
        rows: rows.map((row: unknown[]) => row.map((value) => (value === null ? '' : String(value))).join('|')),
        error: '',
      }),
      (error: Error) => ({ ok: false, rows: [], error: error.message }),
    )
    await client.end()
    return ran
  }
  return new Promise((resolve) => {
    const child = spawn(PSQL, [url, '-X', '-At', '-v', 'ON_ERROR_STOP=1', '-c', statement], {
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
    })
    let [out, error] = ['', '']
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (error += chunk))
    child.on('close', (code) => resolve({ ok: code === 0, rows: out.split('\n').filter(Boolean), error }))
  })
}

async function open(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  return client
}

async function connect(as: string): Promise<string> {
  const ran = await platform.cli(['connect', ENCOUNTERS, '--as', as, '--json'])
  assert.equal(ran.status, 0, ran.stderr)
  return ran.json<{ url: string }>().url
}

/** When the agreement of a request has come to one of the states. */
async function settled(request: Request, states: string[]): Promise<Agreement> {
  for (const end = Date.now() + 15_000; ; ) {
    const { items } = await platform.client().agreements({ product: ENCOUNTERS })
    const found = items.find((each) => each.request === request.number)
    if (found && states.includes(found.state)) return platform.client('owner').agreement(found.number)
    if (Date.now() > end) throw new Error(`agreement of request ${request.number} is ${found?.state}`)
    await sleep(10)
  }
}

/** Milliseconds until the work fails. */
async function untilRefused(
  work: () => Promise<unknown>,
  seconds = 10,
): Promise<{ ms: number; error: Error & { code?: string } }> {
  const began = performance.now()
  for (;;) {
    const error = await work().then(
      () => null,
      (failed: Error) => failed,
    )
    if (error) return { ms: Math.round(performance.now() - began), error }
    if (performance.now() - began > seconds * 1000) throw new Error(`still allowed after ${seconds} s`)
    await sleep(10)
  }
}
const newSession = (url: string) =>
  open(url).then(async (client) => {
    try {
      await client.query(`select 1 from ${SERVED}.encounter limit 1`)
    } finally {
      await client.end()
    }
  })

test('heddle connect gives a url; the served views read, masked, only own facilities', async () => {
  const ran = await platform.cli(['connect', ENCOUNTERS, '--as', 'consumer', '--json'])
  assert.equal(ran.status, 0, ran.stderr)
  const { url } = ran.json<{ url: string }>()
  assert.match(url, /^postgres(ql)?:\/\//)
  const rows = await sql(url, `select count(*), count(distinct facility_id) from ${SERVED}.encounter`)
  assert.ok(rows.ok, rows.error)
  const [count, facilities] = rows.rows[0]!.split('|').map(Number)
  assert.ok(count! > 0)
  assert.equal(facilities, 2)
  assert.deepEqual(
    (
      await sql(
        url,
        `select distinct facility_id from ${SERVED}.patient union select distinct facility_id from ${SERVED}.encounter order by 1`,
      )
    ).rows,
    ['F01', 'F02'],
  )
  const masked = await sql(
    url,
    `select count(*) filter (where name is not null), count(*) filter (where mrn !~ '^[0-9a-f]{32,}$'), count(*) filter (where to_char(birth_date, 'MM-DD') <> '01-01'), count(*) > 0 from ${SERVED}.patient`,
  )
  assert.deepEqual(masked.rows, ['0|0|0|t'], masked.error)
  const truth = await (await platform.warehouse('prod')).query(
    "select count(*) as all, count(*) filter (where facility_id in ('F01', 'F02')) as own from clinical_care_encounters__r1.encounter",
  )
  assert.equal(count, Number(truth.rows[0].own))
  assert.ok(Number(truth.rows[0].all) > count!)
})

test('private, build, staging and other places: permission denied', async () => {
  const url = await connect('consumer')
  for (const table of [
    'clinical_care_encounters.patients',
    'clinical_care_encounters__build.patient',
    'clinical_care_encounters__r1.patient',
    'heddle.attribute',
    'heddle.mask_key',
    'fleet_planes_planes_v1.planes',
    'fleet_planes__r1.planes',
    'pg_catalog.pg_authid',
  ]) {
    const ran = await sql(url, `select * from ${table} limit 1`)
    assert.ok(!ran.ok && /permission denied/.test(ran.error), `${table}: ${ran.error || ran.rows.join()}`)
  }
  for (const statement of [
    'create temp table t (i int)',
    'create schema mine',
    `insert into ${SERVED}.patient default values`,
    `create view ${SERVED}.mine as select 1`,
    `alter role current_user connection limit 100`,
    'do $$ begin perform 1; end $$',
    "select pg_read_file('/etc/passwd')",
    "select query_to_xml('select 1', true, false, '')",
    'set role heddle_provisioner',
    `begin; lock table ${SERVED}.patient in access exclusive mode; commit`,
  ]) {
    const ran = await sql(url, statement)
    assert.ok(
      !ran.ok && /permission denied|must be|Only roles|not allowed|cannot/i.test(ran.error),
      `${statement}: ${ran.error || 'allowed'}`,
    )
  }
  for (const database of ['heddle', 'postgres', 'template1', 'dev']) {
    const ran = await sql(url.replace(/\/prod(\?|$)/, `/${database}$1`), 'select 1')
    assert.ok(!ran.ok && /permission denied/.test(ran.error), `${database}: ${ran.error || 'allowed'}`)
  }
})

test('the agreement of the sample keeps the evidence of its proof', async () => {
  const { items } = await platform.client('owner').agreements({ product: ENCOUNTERS })
  const agreement = await platform.client('owner').agreement(items[0]!.number)
  assert.deepEqual([agreement.state, agreement.subject], ['active', 'consumer'])
  const [evidence] = agreement.evidence
  assert.equal(evidence!.expect, 'granted')
  assert.ok(evidence!.proofs.length >= 5, `${evidence!.proofs.length} proofs`)
  assert.deepEqual(
    evidence!.proofs.filter((proof) => !proof.ok),
    [],
  )
  assert.ok(
    evidence!.proofs.some((proof) => proof.expected === 'refused') &&
      evidence!.proofs.some((proof) => proof.expected === 'allowed'),
  )
  assert.deepEqual((await platform.client('governance').agreement(agreement.number)).evidence.length, 1)
  const fresh = await platform.client('consumer').agreement(agreement.number)
  assert.equal(fresh.evidence.length, 1, 'its holder sees it too')
})

test('what the offer does not allow is refused before anybody is asked', async () => {
  const client = platform.client('governance')
  await assert.rejects(client.createRequest(ask({ purpose: 'marketing' })), refused('ACCESS_PURPOSE_REFUSED'))
  await assert.rejects(client.createRequest(ask({ duration: '365d' })), refused('ACCESS_DURATION_REFUSED'))
  await assert.rejects(client.createRequest(ask({ duration: 'for ever' })), refused('CORE_DURATION_INVALID'))
  await assert.rejects(client.createRequest(ask({ duration: '0s' })), (error: HeddleError) => /DURATION/.test(error.code))
  await assert.rejects(client.createRequest(ask({ port: 'nothing' })), refused('ACCESS_PORT_UNKNOWN'))
  await assert.rejects(client.createRequest(ask({ offer: 'nothing' })), refused('ACCESS_OFFER_UNKNOWN'))
  await assert.rejects(client.createRequest(ask({ subject: 'nobody' })), refused('SUBJECT_UNKNOWN'))
  await assert.rejects(client.createRequest(ask({ environment: 'nowhere' })), (error: HeddleError) =>
    ['ENVIRONMENT_UNKNOWN', 'ACCESS_PORT_UNKNOWN'].includes(error.code),
  )
})

test('nobody approves their own access, nor access for themselves', async () => {
  const own = await platform.client('owner').createRequest(ask())
  await assert.rejects(platform.client('owner').decideRequest(own.number, 'approve'), refused('APPROVAL_OWN_REQUEST'))
  await platform.client('owner').decideRequest(own.number, 'withdraw')
  const borrowed = await platform.client('consumer').createRequest(ask({ subject: 'owner' }))
  await assert.rejects(platform.client('owner').decideRequest(borrowed.number, 'approve'), refused('APPROVAL_OWN_REQUEST'))
  await platform.client('consumer').decideRequest(borrowed.number, 'withdraw')
  const other = await platform.client('consumer').createRequest(ask())
  await assert.rejects(platform.client('governance').decideRequest(other.number, 'approve'), refused('APPROVAL_NOT_YOURS'))
  await platform.client('consumer').decideRequest(other.number, 'withdraw')
})

test('request, approve, read; revoke ends the open session and refuses a new one', async (t) => {
  await platform.client('platform').setAttributes('governance', { facility_ids: ['F03'] })
  const approvals: number[] = []
  const revocations: { open: number; fresh: number }[] = []
  for (let n = 0; n < 3; n++) {
    const asked = await platform.cli([
      'access',
      'request',
      ENCOUNTERS,
      '--port',
      'encounters',
      '--purpose',
      'research',
      '--as',
      'governance',
      '--json',
    ])
    assert.equal(asked.status, 6, asked.stderr)
    const request = (await platform.client('governance').requests({ mine: true, open: true })).items[0]!
    const began = performance.now()
    await platform.client('owner').decideRequest(request.number, 'approve')
    const agreement = await settled(request, ['active', 'failed'])
    const { url } = await platform.client('governance').connect(ENCOUNTERS)
    const session = await open(url)
    const seen = await session.query(`select distinct facility_id from ${SERVED}.encounter`)
    approvals.push(Math.round(performance.now() - began))
    assert.equal(agreement.state, 'active')
    assert.deepEqual(seen.rows, [{ facility_id: 'F03' }])
    assert.deepEqual(
      agreement.evidence.flatMap((each) => each.proofs).filter((proof) => !proof.ok),
      [],
    )

    const told = await platform.client('owner').revokeAgreement(agreement.number, 'test')
    const [openEnd, freshEnd] = await Promise.all([
      untilRefused(() => session.query(`select 1 from ${SERVED}.encounter limit 1`)),
      untilRefused(() => newSession(url)),
    ])
    assert.ok(
      ['57P01', '42501'].includes(openEnd.error.code ?? '') ||
        /terminat|closed|ended|connection error/i.test(openEnd.error.message),
      openEnd.error.message,
    )
    revocations.push({ open: openEnd.ms, fresh: freshEnd.ms })
    const ended = await settled(request, ['revoked', 'failed', 'expired'])
    assert.deepEqual([ended.state, ended.endedBecause], ['revoked', 'test'])
    const proof = ended.evidence.find((each) => each.expect === 'revoked')!
    assert.deepEqual(
      proof.proofs.filter((each) => !each.ok),
      [],
    )
    assert.equal((await waitForEnd(platform, told.number)).state, 'succeeded')
    const again = await platform.cli(['connect', ENCOUNTERS, '--as', 'governance'])
    assert.equal(again.status, 4)
    await session.end().catch(() => {})
  }
  const median = (values: number[]) => values.toSorted((a, b) => a - b)[1]!
  t.diagnostic(`approve -> first row read: median ${median(approvals)} ms of ${approvals.join(', ')}`)
  t.diagnostic(
    `revoke -> refused: open session median ${median(revocations.map((each) => each.open))} ms, new session ${median(revocations.map((each) => each.fresh))} ms`,
  )
  assert.ok(median(approvals) <= 1000, `approve ${approvals.join()}`)
  assert.ok(median(revocations.map((each) => Math.max(each.open, each.fresh))) <= 1000)
})

test('an agreement that ends by its time is refused the same way', async (t) => {
  const request = await platform.client('governance').createRequest(ask({ duration: '3s' }))
  await platform.client('owner').decideRequest(request.number, 'approve')
  const agreement = await settled(request, ['active', 'failed'])
  assert.equal(agreement.state, 'active')
  const { url } = await platform.client('governance').connect(ENCOUNTERS)
  const session = await open(url)
  await session.query(`select 1 from ${SERVED}.encounter limit 1`)
  await untilRefused(() => session.query(`select 1 from ${SERVED}.encounter limit 1`))
  const late = Date.now() - Date.parse(agreement.endsAt)
  await assert.rejects(newSession(url))
  const ended = await settled(request, ['expired', 'revoked', 'failed'])
  assert.equal(ended.state, 'expired')
  assert.deepEqual(
    ended.evidence.find((each) => each.expect === 'revoked')!.proofs.filter((each) => !each.ok),
    [],
  )
  t.diagnostic(`end of an agreement -> refused on the open session: ${late} ms`)
  assert.ok(late > -50 && late <= 2_500, `${late} ms`)
  await session.end().catch(() => {})
})

test('the end of one of two agreements for the same port takes nothing away', async () => {
  const url = await connect('consumer')
  const session = await open(url)
  const second = await platform.client('consumer').createRequest(ask({ purpose: 'quality-reporting' }))
  await platform.client('owner').decideRequest(second.number, 'approve')
  const agreement = await settled(second, ['active', 'failed'])
  assert.equal(agreement.state, 'active')
  const run = await platform.client('owner').revokeAgreement(agreement.number, 'only this one')
  assert.equal((await waitForEnd(platform, run.number)).state, 'succeeded')
  assert.equal((await settled(second, ['revoked', 'failed'])).state, 'revoked')
  await session.query(`select 1 from ${SERVED}.encounter limit 1`)
  await newSession(url)
  await session.end()
})

test('an attribute change moves the row filter at once, on an open session', async (t) => {
  const session = await open(await connect('consumer'))
  const seen = async () =>
    (await session.query(`select distinct facility_id from ${SERVED}.patient order by 1`)).rows.map((row) => row.facility_id)
  assert.deepEqual(await seen(), ['F01', 'F02'])
  const began = performance.now()
  await platform.client('platform').setAttributes('consumer', { facility_ids: ['F05'] })
  const ms = Math.round(performance.now() - began)
  assert.deepEqual(await seen(), ['F05'])
  await platform.client('platform').setAttributes('consumer', {})
  assert.deepEqual(await seen(), [])
  await assert.rejects(
    platform.client('consumer').setAttributes('consumer', { facility_ids: ['F01', 'F08'] }),
    refused('HTTP_NOT_ALLOWED'),
  )
  await platform.client('platform').setAttributes('consumer', { facility_ids: ['F01', 'F02'] })
  assert.deepEqual(await seen(), ['F01', 'F02'])
  await session.end()
  t.diagnostic(`attribute change -> row filter: ${ms} ms`)
})

test('dev first, then prod when somebody else approves; until then prod serves the old release', async () => {
  const tree = await platform.clone(ENCOUNTERS)
  const before = (await platform.client().product(ENCOUNTERS)).environments
  const planned = (await platform.cli(['plan', '--json'], { cwd: tree })).json<{ environment: string; steps: unknown[] }>()
  assert.deepEqual([planned.environment, planned.steps], ['dev', []])
  const spec = (await platform.git(['show', 'HEAD:data_product_spec.yml'], tree)).stdout
  const pushed = await push(platform, tree, {
    'data_product_spec.yml': spec.replace('description: Full name', 'description: The full name'),
  })
  assert.equal(pushed.status, 0, pushed.text)
  assert.match(pushed.text, /-> dev/)
  const dev = await waitForEnd(platform, pushed.run!)
  assert.deepEqual([dev.environment, dev.state], ['dev', 'succeeded'])
  const waiting = await waitForRun(platform, ENCOUNTERS, (run) => run.environment === 'prod' && run.state === 'waiting')
  assert.equal(waiting.commit, pushed.commit)
  assert.deepEqual(
    (await platform.client().product(ENCOUNTERS)).environments.find((each) => each.name === 'prod')!.release,
    before.find((each) => each.name === 'prod')!.release,
  )
  await assert.rejects(platform.client().decideRun(waiting.number, 'approve'), refused('APPROVAL_OWN_REQUEST'))
  await assert.rejects(platform.client('consumer').decideRun(waiting.number, 'approve'), refused('APPROVAL_NOT_YOURS'))
  const approved = await platform.cli(['approve', 'run', String(waiting.number), '--as', 'owner', '--json'])
  assert.ok([0, 6].includes(approved.status), approved.stderr)
  assert.equal((await waitForEnd(platform, waiting.number)).state, 'succeeded')
  const after = (await platform.client().product(ENCOUNTERS)).environments
  for (const name of ['dev', 'prod']) assert.equal(after.find((each) => each.name === name)!.release!.commit, pushed.commit)
  const url = await connect('consumer')
  assert.deepEqual((await sql(url, `select distinct facility_id from ${SERVED}.patient order by 1`)).rows, ['F01', 'F02'])
})

test('a commit that drops its own approval still needs the one that stands', async () => {
  const tree = await platform.clone(ENCOUNTERS)
  const deploy = (await platform.git(['show', 'HEAD:data_product_deploy.yml'], tree)).stdout
  const pushed = await push(platform, tree, {
    'data_product_deploy.yml': deploy.replace(/prod: \{.*\}\}/, 'prod: {protected: false}'),
  })
  assert.equal(pushed.status, 0, pushed.text)
  const waiting = await waitForRun(platform, ENCOUNTERS, (run) => run.commit === pushed.commit && run.environment === 'prod')
  assert.equal(waiting.state, 'waiting')
  await assert.rejects(platform.client().decideRun(waiting.number, 'approve'), refused('APPROVAL_OWN_REQUEST'))
  await platform.client('owner').decideRun(waiting.number, 'deny')
  assert.equal((await waitForEnd(platform, waiting.number)).state, 'denied')
})
