import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Agreement, Connection, Problem, Request } from '../../src/client/types.ts'
import { startTestPlatform, type TestPlatform } from '../platform.ts'
import { waitForEnd } from '../small-mesh.ts'

const ENCOUNTERS = 'clinical-care/encounters'
const SERVED = 'clinical_care_encounters_encounters_v1'
const PORT = `/data/${ENCOUNTERS}/encounters/v1`
const FLIGHTS = '/data/operations/flights/flights/v1/flights'

let platform: TestPlatform
let token: string

before(async () => {
  platform = await startTestPlatform({ sample: true })
  token = (await readFile(join(platform.data, 'cli-token'), 'utf8')).trim()
})
after(() => platform?.dispose())

type Row = Record<string, unknown>
type Rows = { items: Row[]; next: string | null; publication: number; asOf: string }
const headersOf = (as: string, more: Record<string, string> = {}) => ({
  authorization: `Bearer ${token}`,
  'heddle-as': as,
  ...more,
})
const get = (path: string, as: string, more: Record<string, string> = {}) =>
  fetch(platform.url + path, { headers: headersOf(as, more) })

async function rows(path: string, as = 'consumer'): Promise<Rows> {
  const answer = await get(path, as)
  assert.equal(answer.status, 200, await answer.clone().text())
  return (await answer.json()) as Rows
}
async function problem(path: string, as: string, status: number): Promise<Problem> {
  const answer = await get(path, as)
  const body = (await answer.json()) as Problem
  assert.deepEqual(
    [answer.status, answer.headers.get('content-type')],
    [status, 'application/problem+json'],
    JSON.stringify(body),
  )
  assert.ok(body.code && body.detail && body.fix)
  return body
}
async function everyRow(path: string, as = 'consumer'): Promise<Row[]> {
  const all: Row[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page: Rows = await rows(`${path}${cursor && `&cursor=${cursor}`}`, as)
    all.push(...page.items)
    cursor = page.next
  }
  return all
}

/** What `heddle connect` gives: how the same subject reads by SQL. */
async function sql(as: string): Promise<{ client: pg.Client; connection: Connection }> {
  const connection = await platform.client(as).connect(ENCOUNTERS)
  const client = new pg.Client({ connectionString: connection.url })
  client.on('error', () => undefined)
  await client.connect()
  return { client, connection }
}

test('the port lists its objects with columns and types, for whoever may read it', async () => {
  const answer = await get(PORT, 'consumer')
  const port = (await answer.json()) as { objects: { name: string; http: string; columns: Row[] }[] } & Row
  assert.deepEqual([port.product, port.environment, port.port, port.major], [ENCOUNTERS, 'prod', 'encounters', 1])
  assert.deepEqual(
    port.objects.map(({ name }) => name),
    ['patient', 'encounter'],
  )
  assert.deepEqual(
    port.objects[0]!.columns.find(({ name }) => name === 'birth_date'),
    { name: 'birth_date', type: 'date', json: 'string', masked: true },
  )
  assert.equal((await get(port.objects[1]!.http.slice(platform.url.length), 'consumer')).status, 200)
  const spec = (await platform.client().openapi()) as { paths: Record<string, unknown> }
  assert.ok(Object.keys(spec.paths).some((path) => path.startsWith('/data/{domain}/{product}')))
})

test('consumers see masks and their own facilities, owners everything, others 403 whether it exists or not', async () => {
  const seen = await everyRow(`${PORT}/patient?limit=1000`)
  assert.ok(seen.length > 10)
  assert.deepEqual([...new Set(seen.map((row) => row.facility_id))].sort(), ['F01', 'F02'])
  for (const row of seen) {
    assert.equal(row.name, null)
    assert.match(String(row.mrn), /^[0-9a-f]{64}$/)
    assert.match(String(row.birth_date), /^\d{4}-01-01$/)
  }
  const owned = await everyRow(`${PORT}/patient?limit=1000`, 'owner')
  assert.equal(new Set(owned.map((row) => row.facility_id)).size, 8)
  assert.ok(owned.every((row) => row.name !== null && !/^[0-9a-f]{64}$/.test(String(row.mrn))))
  // A filter on a masked column sees the mask.
  const open = owned.find((row) => row.facility_id === 'F01')!
  assert.equal((await rows(`${PORT}/patient?mrn=eq.${encodeURIComponent(String(open.mrn))}`)).items.length, 0)
  assert.equal((await rows(`${PORT}/patient?mrn=eq.${encodeURIComponent(String(open.mrn))}`, 'owner')).items.length, 1)

  const answers = []
  for (const path of [
    `${PORT}/patient`,
    `${PORT}/nothing`,
    PORT,
    `/data/${ENCOUNTERS}/nothing/v1/patient`,
    `/data/${ENCOUNTERS}/encounters/v9/patient`,
    '/data/clinical-care/nothing/encounters/v1/patient',
    '/data/nothing/nothing/nothing/v1/nothing?x=eq.1',
    `${PORT}/patient?environment=nowhere`,
  ]) {
    const { requestId: _, ...body } = await problem(path, 'governance', 403)
    answers.push(JSON.stringify(body))
  }
  assert.equal(new Set(answers).size, 1, 'one answer for all of them')
  assert.equal((await problem(`${PORT}/nothing`, 'consumer', 404)).code, 'DATA_OBJECT_UNKNOWN')
  assert.equal((await fetch(`${platform.url}${PORT}/patient`)).status, 401)
  // Who may read prod may not read dev by that.
  assert.equal((await problem(`${PORT}/patient?environment=dev`, 'consumer', 403)).code, 'ACCESS_NOT_GRANTED')
  assert.ok((await rows(`${PORT}/patient?environment=dev&limit=1`, 'owner')).items.length === 1)
})

test('filters, order and pages give what SQL gives to the same subject', async () => {
  const { client } = await sql('consumer')
  const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig
  const compare = async (query: string, statement: string) => {
    const expected = (await client.query({ text: statement, types })).rows
    assert.deepEqual(await everyRow(`${PORT}/encounter?${query}`), expected, query)
    return expected.length
  }
  const from = `from ${SERVED}.encounter`
  const columns = 'encounter_id, kind, charge'
  const select = 'select=encounter_id,kind,charge'
  for (const limit of [40, 1000]) {
    assert.ok(
      (await compare(
        `${select}&limit=${limit}&kind=eq.inpatient`,
        `select ${columns} ${from} where kind = 'inpatient' order by encounter_id`,
      )) > 7,
    )
    await compare(
      `${select}&limit=${limit}&charge=gte.100&charge=lt.900.5&order=kind.desc,charge`,
      `select ${columns} ${from} where charge >= 100 and charge < 900.5 order by kind desc, charge, encounter_id`,
    )
  }
  await compare(
    `${select}&limit=50&kind=in.(emergency,outpatient)&discharged_at=not.null&order=discharged_at.desc`,
    `select ${columns} ${from} where kind in ('emergency', 'outpatient') and discharged_at is not null order by discharged_at desc, encounter_id`,
  )
  await compare(`${select}&discharged_at=is.null`, `select ${columns} ${from} where discharged_at is null order by encounter_id`)
  await compare(
    `${select}&limit=60&order=discharged_at&admitted_at=gt.2013-01-01`,
    `select ${columns} ${from} where admitted_at > '2013-01-01Z' order by discharged_at, encounter_id`,
  )
  await compare(`${select}&kind=like.in%25`, `select ${columns} ${from} where kind like 'in%' order by encounter_id`)
  const [first] = (await rows(`${PORT}/encounter?limit=1`)).items
  assert.match(String(first!.admitted_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  assert.equal(typeof first!.charge, 'string', 'numeric without loss')
  await client.end()
})

test('CSV is what COPY gives the same subject, whole', async () => {
  const answer = await get(`${PORT}/encounter?order=encounter_id`, 'consumer', { accept: 'text/csv' })
  assert.match(answer.headers.get('content-type')!, /^text\/csv/)
  const text = await answer.text()
  const { client } = await sql('consumer')
  const { rows: found } = await client.query(`select count(*)::int as n from ${SERVED}.encounter`)
  const lines = text.trimEnd().split('\n')
  assert.equal(lines.length, found[0].n + 1)
  assert.equal(lines[0], 'encounter_id,patient_id,facility_id,kind,admitted_at,discharged_at,diagnosis_code,charge')
  const page = await rows(`${PORT}/encounter?limit=1`)
  assert.ok(lines[1]!.startsWith(`${page.items[0]!.encounter_id},`))
  await client.end()
  assert.equal(
    (await get(`${PORT}/encounter?limit=3`, 'consumer', { accept: 'text/csv' }).then((each) => each.text())).split('\n').length,
    5,
  )
  assert.equal((await get(`${PORT}/encounter`, 'consumer', { accept: 'application/xml' })).status, 406)
})

test('heddle connect and the data port leave each other alone; connect tells what it ends and prints a curl line that works', async () => {
  const first = await sql('consumer')
  for (let n = 0; n < 3; n++) await rows(`${PORT}/patient?limit=1`)
  const again = new pg.Client({ connectionString: first.connection.url })
  await again.connect()
  await again.end()
  assert.equal(first.connection.ports[0]!.http, platform.url + PORT)
  const second = await platform.client('consumer').connect(ENCOUNTERS)
  assert.equal(second.replaced, first.connection.expiresAt)
  await first.client.end()
  await rows(`${PORT}/patient?limit=1`)
  const shown = await platform.cli(['connect', ENCOUNTERS, '--as', 'consumer'])
  assert.match(shown.stdout, /password issued before this one, good until .* is void now/)
  const curl = shown.stdout.split('\n').find((line) => line.startsWith('    curl '))!
  const { spawnSync } = await import('node:child_process')
  const ran = spawnSync('sh', ['-c', curl.trim().replace('curl', 'curl -s')], { encoding: 'utf8' })
  assert.equal((JSON.parse(ran.stdout) as Rows).items.length, 5, ran.stderr)
})

test('ETag and HEAD: 304 until the publication or the reader changes; attributes count at once', async () => {
  const path = `${PORT}/patient?limit=1000&select=facility_id`
  const first = await get(path, 'consumer')
  const tag = first.headers.get('etag')!
  await first.arrayBuffer()
  assert.match(tag, new RegExp(`^"${first.headers.get('heddle-publication')}-`))
  assert.equal((await get(path, 'consumer', { 'if-none-match': tag })).status, 304)
  assert.equal((await get(path, 'owner', { 'if-none-match': tag })).status, 200)
  assert.equal((await get(path, 'governance', { 'if-none-match': tag })).status, 403)
  await platform.client('platform').setAttributes('consumer', { facility_ids: ['F05'] })
  const changed = await get(path, 'consumer', { 'if-none-match': tag })
  assert.equal(changed.status, 200)
  assert.deepEqual([...new Set(((await changed.json()) as Rows).items.map((row) => row.facility_id))], ['F05'])
  await platform.client('platform').setAttributes('consumer', { facility_ids: ['F01', 'F02'] })
  const head = await fetch(platform.url + path, { method: 'HEAD', headers: headersOf('consumer') })
  assert.deepEqual([head.status, head.headers.get('etag'), await head.text()], [200, tag, ''])
  assert.equal((await fetch(platform.url + path, { method: 'HEAD' })).status, 401)
  assert.equal((await fetch(platform.url + path, { method: 'HEAD', headers: headersOf('governance') })).status, 403)
})

test('a cursor is good for its query, its subject and its publication', async () => {
  const path = `${PORT}/encounter?limit=5&kind=eq.inpatient`
  const { next, publication } = await rows(path)
  assert.equal((await problem(`${path}&cursor=${next}`, 'owner', 400)).code, 'DATA_CURSOR_INVALID')
  assert.equal((await problem(`${path}&order=charge&cursor=${next}`, 'consumer', 400)).code, 'DATA_CURSOR_INVALID')
  assert.equal((await problem(`${path}&charge=gt.1&cursor=${next}`, 'consumer', 400)).code, 'DATA_CURSOR_INVALID')
  assert.equal((await problem(`${path}&cursor=${next!.slice(0, -2)}`, 'consumer', 400)).code, 'DATA_CURSOR_INVALID')
  assert.equal(
    (await rows(`${PORT}/encounter?kind=eq.inpatient&limit=9&cursor=${next}`)).items.length,
    9,
    'another limit is fine',
  )
  const run = await platform.client('owner').refresh(ENCOUNTERS)
  assert.equal((await waitForEnd(platform, run.number)).state, 'succeeded')
  const told = await problem(`${path}&cursor=${next}`, 'consumer', 410)
  assert.equal(told.code, 'DATA_CURSOR_OUTDATED')
  assert.ok((await rows(path)).publication > publication)
})

async function grantFlights(duration?: string): Promise<Agreement> {
  const consumer = platform.client('consumer')
  const request: Request = await consumer.createRequest({
    kind: 'access',
    payload: { product: 'operations/flights', port: 'flights', purpose: 'analytics', ...(duration && { duration }) },
  })
  await platform.client(request.approvers[0]).decideRequest(request.number, 'approve')
  for (const end = Date.now() + 15_000; ; await sleep(10)) {
    const found = (await consumer.agreements({ product: 'operations/flights' })).items.find(
      (each) => each.request === request.number,
    )
    if (found?.state === 'active') return consumer.agreement(found.number)
    assert.ok(Date.now() < end, `agreement is ${found?.state}`)
  }
}

test('revoke: a download in its middle, and the next request, are ended within a second; the evidence says so', async (t) => {
  const agreement = await grantFlights()
  const proofs = agreement.evidence[0]!.proofs
  assert.ok(proofs.some(({ what, ok }) => ok && /^read .* over HTTP$/.test(what)))
  const answer = await get(FLIGHTS, 'consumer', { accept: 'text/csv' })
  assert.equal(answer.status, 200)
  const reader = answer.body!.getReader()
  await reader.read()
  await sleep(300)
  const began = performance.now()
  await platform.client('owner').revokeAgreement(agreement.number, 'test')
  const refused = (async () => {
    for (;;) {
      const tried = await get(`${FLIGHTS}?limit=1`, 'consumer')
      const body = (await tried.json()) as Problem
      if (tried.status === 403) return { ms: performance.now() - began, code: body.code }
    }
  })()
  // The reader of the download takes what is there and then looks again.
  const ended = (async () => {
    await sleep(700)
    for (;;) {
      const failed = await reader.read().then(
        ({ done }) => (done ? 'whole' : null),
        () => 'broken off',
      )
      if (failed) return { how: failed, ms: performance.now() - began }
    }
  })()
  const [asked, broken] = await Promise.all([refused, ended])
  t.diagnostic(`revoke -> next request refused ${Math.round(asked.ms)} ms, download broken off ${Math.round(broken.ms)} ms`)
  assert.equal(asked.code, 'ACCESS_NOT_GRANTED')
  assert.equal(broken.how, 'broken off')
  assert.ok(asked.ms < 1_000 && broken.ms < 1_500)
})

test('an agreement that ends by its time is refused at that time', async () => {
  const agreement = await grantFlights('3s')
  for (;;) {
    const answer = await get(`${FLIGHTS}?limit=1&select=flight_key`, 'consumer')
    await answer.arrayBuffer()
    if (answer.status === 403) break
    assert.equal(answer.status, 200)
    assert.ok(Date.now() < Date.parse(agreement.endsAt) + 500, 'still read after its end')
  }
  assert.ok(Date.now() >= Date.parse(agreement.endsAt) - 50)
})

test('a read token speaks for its subject at the data port and nowhere else, until it is revoked', async () => {
  const made = await platform.cli(['token', 'create', '--kind', 'read', '--name', 'report', '--until', '1h', '--as', 'consumer'])
  assert.equal(made.status, 0, made.stderr)
  const bearer = { authorization: `Bearer ${made.stdout.trim()}` }
  const status = async (path: string, headers: Record<string, string> = bearer, method = 'GET') =>
    (await fetch(platform.url + path, { method, headers })).status
  const answer = await fetch(`${platform.url}${PORT}/patient?limit=500`, { headers: bearer })
  const seen = ((await answer.json()) as Rows).items
  assert.deepEqual([...new Set(seen.map((row) => row.facility_id))].sort(), ['F01', 'F02'])
  assert.equal(await status(PORT), 200)
  assert.equal(await status(FLIGHTS), 403)
  assert.equal(await status(`${PORT}/patient`, { ...bearer, 'heddle-as': 'owner' }), 403)
  for (const path of ['/me', '/products', '/tokens', '/audit', `/products/${ENCOUNTERS}/access`])
    assert.equal(await status(`/api/v1${path}`), 403, path)
  assert.equal(await status(`/api/v1/products/${ENCOUNTERS}/connect`, bearer, 'POST'), 403)
  const basic = { authorization: `Basic ${Buffer.from(`x:${made.stdout.trim()}`).toString('base64')}` }
  assert.equal(await status(`/git/${ENCOUNTERS}.git/info/refs?service=git-upload-pack`, basic), 401)
  const listed = await platform.client('consumer').readTokens()
  assert.deepEqual(
    listed.items.map(({ name }) => name),
    ['report'],
  )
  assert.ok(!JSON.stringify(listed).includes(made.stdout.trim()))
  assert.deepEqual((await platform.client('owner').readTokens()).items, [])
  const { id } = listed.items[0]!
  await assert.rejects(platform.client('owner').revokeReadToken(id), (error: { code?: string }) => error.code === 'TOKEN_UNKNOWN')
  assert.equal(await status(`${PORT}/patient`), 200)
  assert.equal((await platform.cli(['token', 'revoke', id, '--as', 'consumer'])).status, 0)
  assert.equal(await status(`${PORT}/patient`), 401)
  assert.deepEqual((await platform.client('consumer').readTokens()).items, [])
})

test('no value of a row or of a query is in the log, whatever went wrong', async () => {
  const canary = 'canary-7731'
  for (const query of [
    `name=eq.${canary}`,
    `facility_id=in.(${canary})`,
    `birth_date=eq.${canary}`,
    `${canary}=eq.1`,
    `select=${canary}`,
    `cursor=${canary}`,
  ]) {
    const answer = await get(`${PORT}/patient?${query}`, 'owner')
    const text = await answer.text()
    if (answer.status !== 200) assert.ok(!text.includes(canary), text)
  }
  const patients = (await rows(`${PORT}/patient?limit=3`, 'owner')).items
  for (const file of ['logs/heddle.log', 'logs/postgres.log']) {
    const log = await readFile(join(platform.data, file), 'utf8').catch(() => '')
    for (const word of [canary, ...patients.map((row) => String(row.name))]) assert.ok(!log.includes(word), `${word} in ${file}`)
  }
})
