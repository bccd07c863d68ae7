import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Browser, Locator, Page } from 'playwright-core'
import { build } from 'vite'
import { openBrowser } from './browser.ts'
import { problem, type Received, startDouble } from './double.ts'
import { type Fixtures, makeFixtures } from './fixtures.ts'

const CHECKS = readFileSync(join(import.meta.dirname, 'page-checks.js'), 'utf8')
const KB = 1024

type Double = Awaited<ReturnType<typeof startDouble>>

describe('portal', () => {
  let root: string
  let browser: Browser
  let closeBrowser: () => Promise<void>
  let fixtures: Fixtures
  let double: Double
  let page: Page
  let noise: string[]

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'heddle-portal-'))
    await build({ root: join(import.meta.dirname, '../../web'), logLevel: 'error', build: { outDir: root } })
    const opened = await openBrowser()
    browser = opened.browser
    closeBrowser = opened.close
  })
  after(async () => {
    await closeBrowser?.()
    await rm(root, { recursive: true, force: true })
  })
  beforeEach(async (context) => {
    fixtures = makeFixtures(Date.now())
    double = await startDouble(fixtures, root)
    page = await openPage({})
    if ('after' in context)
      context.after(async () => {
        await page.context().close()
        await double.close()
      })
  })

  /** A page of its own; what it says on the console (a breach of the content security policy among it) is kept. */
  async function openPage({ width = 1440, colorScheme = 'light' as 'light' | 'dark' }): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme,
      timezoneId: 'Europe/Berlin',
      reducedMotion: 'reduce',
    })
    const opened = await context.newPage()
    opened.setDefaultTimeout(8_000)
    noise = []
    opened.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) noise.push(message.text())
    })
    opened.on('pageerror', (error) => noise.push(error.message))
    return opened
  }

  const open = async (path: string) => {
    await page.goto(double.url + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
  }
  const sent = (method: string, path: string): Received[] =>
    double.received.filter((one) => one.method === method && one.path === path)
  const visible = (locator: Locator) => locator.waitFor({ state: 'visible' })

  test('first load stays within its budget and holds no schema library', () => {
    const html = readFileSync(join(root, 'index.html'), 'utf8')
    const files = readdirSync(join(root, 'assets'))
    const named = (pattern: RegExp) => files.filter((file) => pattern.test(file))
    const gzip = (names: string[]) =>
      names.reduce((sum, file) => sum + gzipSync(readFileSync(join(root, 'assets', file))).length, 0)
    const linked = files.filter((file) => html.includes(file) || file.startsWith('home-page'))
    // What the entry and the home page import, to the end.
    const first = new Set(linked)
    for (const file of first)
      if (file.endsWith('.js'))
        for (const other of staticImports(readFileSync(join(root, 'assets', file), 'utf8'), files)) first.add(other)
    const javaScript = gzip([...first].filter((file) => file.endsWith('.js')))
    const css = gzip(named(/\.css$/))
    assert.ok(javaScript > 60 * KB && javaScript <= 160 * KB, `JavaScript ${Math.round(javaScript / KB)} KB`)
    assert.ok(css <= 40 * KB, `CSS ${Math.round(css / KB)} KB`)
    for (const file of named(/-page.*\.js$/)) assert.ok(gzip([file]) <= 60 * KB, file)
    for (const file of files) assert.doesNotMatch(readFileSync(join(root, 'assets', file), 'utf8'), /ZodError/, file)
  })

  test('nothing is inline and every variable that a component reads is defined', () => {
    assert.doesNotMatch(readFileSync(join(root, 'index.html'), 'utf8'), /<script(?![^>]*src=)|<style/)
    const css = readdirSync(join(root, 'assets'))
      .filter((file) => file.endsWith('.css'))
      .map((file) => readFileSync(join(root, 'assets', file), 'utf8'))
      .join('\n')
    const defined = new Set([...css.matchAll(/(?:^|[{;\s])(--[\w-]+):/g)].map((match) => match[1]))
    const used = [...css.matchAll(/var\((--(?:mantine|h)-[\w-]+)\)/g)].map((match) => match[1]!)
    assert.ok(used.length > 30)
    assert.deepEqual([...new Set(used.filter((name) => !defined.has(name)))], [])
  })

  test('a running run is followed: state, steps, dbt nodes and log arrive as they happen', async () => {
    const run = fixtures.run.live
    let id = 0
    const event = (step: string | null, kind: string, data: Record<string, unknown>) =>
      double.push(run.number, { id: ++id, at: new Date().toISOString(), step, kind, data })
    await open(`/runs/${run.number}`)
    await visible(page.getByText('Live', { exact: true }))
    event('ingest:planes', 'log', { level: 'info', text: 'COPY planes: 3322 rows' })
    const pushed = performance.now()
    event('ingest:planes', 'step', { id: 'ingest:planes', state: 'succeeded', ms: 800, outcome: '3,322 rows' })
    await visible(page.getByRole('row', { name: /ingest.*Succeeded/ }))
    assert.ok(performance.now() - pushed < 1_000, `seen after ${Math.round(performance.now() - pushed)} ms`)
    await visible(page.getByText('COPY planes: 3322 rows'))
    event('transform', 'step', { id: 'transform', state: 'running' })
    event('transform', 'node', { name: 'stg_planes', resource: 'view', status: 'started', startedAt: new Date().toISOString() })
    await visible(page.getByRole('row', { name: /stg_planes/ }))

    // A restart of the server: the stream is taken up where it broke, and nothing is shown twice.
    double.dropStreams()
    event('transform', 'log', { level: 'info', text: 'written while nobody listened' })
    await visible(page.getByText('written while nobody listened'))
    assert.equal(await page.getByText('COPY planes: 3322 rows').count(), 1)
    assert.ok(sent('GET', `/runs/${run.number}/events`).some((one) => Number(one.headers['last-event-id']) >= 2))

    Object.assign(run, { state: 'succeeded', endedAt: new Date().toISOString(), ms: 4_000 })
    event(null, 'state', { state: 'succeeded' })
    double.push(run.number, { id, at: new Date().toISOString(), step: null, kind: 'end', data: {} })
    await visible(
      page
        .getByRole('status')
        .or(page.locator('[data-family="ok"]', { hasText: 'Succeeded' }))
        .first(),
    )
    await visible(page.getByText(`Run ${run.number}: Succeeded`))
    const streams = sent('GET', `/runs/${run.number}/events`).length
    await page.waitForTimeout(1_200)
    assert.equal(sent('GET', `/runs/${run.number}/events`).length, streams, 'an ended stream is not asked for again')
    assert.deepEqual(noise, [])
  })

  test('a failed run opens at its first error, with cause, fix and what consumers still read', async () => {
    await open('/runs/812')
    await visible(page.getByRole('heading', { name: '7,230 of 308,641 flights have no dep_time' }))
    await visible(page.getByText('Consumers still read r12'))
    await visible(page.getByText('restore the filter'))
    const error = page.locator('[data-opened="true"]')
    await visible(error)
    assert.match((await error.textContent()) ?? '', /3 of 5 FAIL 7230 not_null_flights_dep_time/)
    await visible(page.getByText('opened at the first error, line 217 of 221'))
    const [box, line] = [await page.getByRole('log').boundingBox(), await error.boundingBox()]
    assert.ok(box && line && line.y >= box.y && line.y + line.height <= box.y + box.height, 'the line is in sight')
    assert.ok((await page.locator('[data-opened]').count()) < 80, 'only lines in sight are elements')

    await page.getByText('Errors 3').click()
    await page.waitForURL(/level=error/)
    assert.equal(await page.locator('[data-level]').count(), 3)
    await page.getByRole('link', { name: 'ingest', exact: true }).click()
    await page.waitForURL(/step=ingest/)
    await visible(page.getByText('No line matches.'))
    await page.goBack()
  })

  test('retry is sent as the page may send it, and a lost answer does not do it twice', async () => {
    let calls = 0
    double.answers.set('POST /runs/812/retry', () =>
      ++calls === 1 ? problem(503, 'RUN_STORE_BUSY', 'The database is busy') : { status: 200, body: fixtures.run.failed },
    )
    await open('/runs/812')
    await page.getByRole('button', { name: 'Retry from transform' }).click()
    await visible(page.getByRole('alert').getByText('The database is busy'))
    await visible(page.getByText('request id req-7f3a'))
    await page.getByRole('button', { name: 'Retry from transform' }).click()
    await page.getByRole('alert').waitFor({ state: 'detached' })
    const [first, second] = sent('POST', '/runs/812/retry')
    assert.equal(first?.headers['heddle-request'], '1')
    assert.ok(first?.headers['idempotency-key'])
    assert.equal(first.headers['idempotency-key'], second?.headers['idempotency-key'])
  })

  test('a run that waits is its plan, and is approved in place', async () => {
    double.answers.set('POST /runs/815/approve', () => {
      Object.assign(fixtures.run.waiting, {
        state: 'queued',
        actions: { retry: false, cancel: true, undo: false, approve: false },
      })
      return { status: 200, body: fixtures.run.waiting }
    })
    await open('/runs/815')
    await visible(page.getByText('column birth_date is masked'))
    await page.getByLabel('Note').fill('after 16:00')
    await page.getByRole('button', { name: 'Approve and deploy' }).click()
    await visible(page.getByText('Queued').first())
    assert.deepEqual(sent('POST', '/runs/815/approve')[0]?.body, { note: 'after 16:00' })
  })

  test('a new product: the plan is shown before anything is made, then Create goes to its run', async () => {
    await open('/new')
    assert.equal(await page.getByLabel('Domain').inputValue(), 'fleet')
    assert.equal(await page.getByLabel('Owner').inputValue(), 'team-fleet')
    await page.getByRole('button', { name: 'Create product' }).click()
    await visible(page.getByText('Give the product a name.'))
    assert.equal(await page.evaluate('document.activeElement.name'), 'name')
    await page.getByLabel('Name').fill('Engines!')
    await visible(page.getByText('Lower-case letters, digits and single hyphens'))
    await page.getByLabel('Name').fill('engines')
    await visible(page.getByText('Repository fleet/engines with a scaffold of 9 files'))
    await visible(page.getByText('heddle new engines --domain fleet --owner team-fleet'))
    assert.equal(sent('POST', '/requests').length, 1, 'asked for the plan, once')
    await page.getByRole('button', { name: 'Create fleet/engines' }).click()
    await page.waitForURL(/\/runs\/816/)
    const posts = sent('POST', '/requests')
    assert.equal(posts.length, 2)
    assert.deepEqual(posts[1]?.body, { kind: 'product', payload: { domain: 'fleet', name: 'engines', owner: 'team-fleet' } })
  })

  test('a taken name is said at the name', async () => {
    double.answers.set('POST /requests', () => problem(409, 'PRODUCT_NAME_TAKEN', 'fleet/planes exists, owned by team-fleet'))
    await open('/new')
    await page.getByLabel('Name').fill('planes')
    await visible(page.locator('form').getByText('fleet/planes exists, owned by team-fleet'))
  })

  test('a request is approved with a note, from a card that says what would be granted', async () => {
    await open('/requests')
    const card = page.getByRole('region', { name: 'Request 55' })
    await visible(card.getByText('Length-of-stay report'))
    await visible(card.getByText('4 columns clear, 2 masked'))
    await visible(page.getByText('Grant encounters-sql v2 to consumer'))
    await card.getByLabel('Note').fill('for the quality board')
    await card.getByRole('button', { name: 'Approve' }).click()
    await visible(card.getByText('Applying'))
    await visible(card.getByText('“for the quality board”'))
    assert.deepEqual(sent('POST', '/requests/55/approve')[0]?.body, { note: 'for the quality board' })
    assert.equal(await card.getByRole('button', { name: 'Approve' }).count(), 0)
  })

  test('undo of a request asks first, because nothing brings it back', async () => {
    double.answers.set('POST /requests/54/undo', () => ({ status: 200, body: fixtures.requests[2] }))
    await open('/requests/54')
    await page.getByRole('button', { name: 'Undo', exact: true }).click()
    assert.equal(sent('POST', '/requests/54/undo').length, 0)
    await Promise.all([page.waitForResponse(/undo/), page.getByRole('button', { name: 'Undo request 54' }).click()])
    assert.equal(sent('POST', '/requests/54/undo').length, 1)
  })

  test('access is asked for with a purpose of the offer, no longer than it allows', async () => {
    await open('/p/clinical-care/encounters')
    await page.getByRole('link', { name: 'Request access' }).first().click()
    const form = page.getByRole('form', { name: 'Request access' })
    await form.getByRole('button', { name: 'Request access' }).click()
    await visible(form.getByText('Choose what you will use it for.'))
    await form.getByLabel('Purpose').selectOption('quality-reporting')
    await form.getByLabel('Days').fill('400')
    await visible(form.getByText('A whole number of days, 1 to 365.'))
    await form.getByLabel('Days').fill('30')
    await form.getByRole('button', { name: 'Request access' }).click()
    await page.waitForURL(/\/requests\/57/)
    assert.deepEqual(sent('POST', '/requests')[0]?.body, {
      kind: 'access',
      payload: {
        product: 'clinical-care/encounters',
        port: 'encounters-sql',
        offer: 'limited-data-set',
        purpose: 'quality-reporting',
        duration: '30d',
        environment: 'prod',
      },
    })
  })

  test('a connection is made on demand, once for the whole page, and its password never shown', async () => {
    fixtures.me.groups.push('clinical-data-team')
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await open('/p/clinical-care/encounters')
    const connects = () => sent('POST', '/products/clinical-care/encounters/connect')
    assert.equal(connects().length, 0)
    await page.getByRole('region', { name: 'Connect' }).getByRole('button', { name: 'Copy connection' }).click()
    await visible(page.getByText('as dev_1f'))
    for (const way of ['psql', 'JDBC', 'dbt', 'Python', 'BI', 'HTTP']) {
      await page.getByText(way, { exact: true }).click()
      await visible(page.getByText(way === 'HTTP' ? '$HEDDLE_TOKEN' : '••••••••'))
      assert.doesNotMatch(await page.locator('body').innerText(), /cret-pw/, way)
      await page
        .getByRole('button', { name: /Cop(y connection|ied)/ })
        .first()
        .click()
    }
    assert.match(await page.evaluate<string>('navigator.clipboard.readText()'), /s%23cret-pw/)
    assert.deepEqual(
      connects().map((one) => one.body),
      [{ environment: 'prod' }],
    )
  })

  test('a login that is refused is told, and no clipboard is blamed', async () => {
    fixtures.me.groups.push('clinical-data-team')
    double.answers.set('POST /products/clinical-care/encounters/connect', () =>
      problem(403, 'ACCESS_NOT_GRANTED', 'dev has no active agreement', { fix: 'Ask for access.' }),
    )
    await open('/p/clinical-care/encounters')
    await page.getByRole('region', { name: 'Connect' }).getByRole('button', { name: 'Copy connection' }).click()
    await visible(page.getByRole('alert').getByText('dev has no active agreement'))
    assert.equal(await page.getByText('did not let the page write').count(), 0)
  })

  test('the one-time address signs in and leaves the address bar; a used one says so', async () => {
    await open('/?once=secret-once')
    assert.deepEqual(sent('POST', '/login')[0]?.body, { once: 'secret-once' })
    assert.doesNotMatch(page.url(), /once/)
    const unknown = () => problem(401, 'HTTP_SESSION_MISSING', 'Not signed in')
    double.answers.set('POST /login', unknown)
    double.answers.set('GET /me', unknown)
    await open('/?once=used')
    await visible(page.getByRole('heading', { name: 'This sign-in address no longer works' }))
    await visible(page.getByText('heddle open'))
  })

  test('looking as a sample user goes with every call of this tab and stays in sight', async () => {
    await open('/')
    await page.getByRole('button', { name: 'dev' }).click()
    await page.getByRole('button', { name: 'consumer' }).click()
    await visible(page.getByText('viewing as consumer'))
    await page.waitForTimeout(300)
    double.received.length = 0
    await open('/runs/816')
    await visible(page.getByText('viewing as consumer'))
    await visible(page.getByText('Live', { exact: true }))
    assert.ok(double.received.length > 3)
    assert.deepEqual(
      double.received.filter((one) => one.path !== '/health' && one.headers['heddle-as'] !== 'consumer'),
      [],
    )
    await page.getByRole('button', { name: 'Stop viewing as consumer' }).click()
    await page.getByText('viewing as').waitFor({ state: 'detached' })
  })

  test('the theme follows the system until someone chooses', async () => {
    await open('/')
    const turns = (scheme: string) => page.locator(`html[data-mantine-color-scheme=${scheme}]`).waitFor({ state: 'attached' })
    const ground = () => page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    await turns('light')
    assert.equal(await ground(), 'rgb(255, 255, 255)')
    await page.emulateMedia({ colorScheme: 'dark' })
    await turns('dark')
    assert.equal(await ground(), 'rgb(16, 21, 27)')
    await page.getByRole('button', { name: 'dev' }).click()
    await page.getByText('Light', { exact: true }).click()
    await turns('light')
    await page.reload()
    await turns('light')
  })

  test('no rights, failing, empty and late are states of their own', async () => {
    double.answers.set('GET /products/clinical-care/encounters', () =>
      problem(403, 'ACCESS_PRODUCT_HIDDEN', 'You may not see clinical-care/encounters', { fix: 'Ask clinical-data-team.' }),
    )
    await open('/p/clinical-care/encounters')
    await visible(page.getByText('Ask clinical-data-team.'))
    assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0)

    double.answers.set('GET /runs', () => problem(500, 'INTERNAL_UNEXPECTED', 'Something failed that should not'))
    await open('/runs')
    await visible(page.getByText('Something failed that should not'))
    await visible(page.getByText('request id req-7f3a'))
    double.answers.set('GET /runs', () => ({ status: 200, body: { items: [], next: null } }))
    await page.getByRole('button', { name: 'Try again' }).click()
    await visible(page.getByText('Nothing has run yet'))

    for (const path of ['/products', '/requests'])
      double.answers.set(`GET ${path}`, () => ({ status: 200, body: { items: [], next: null } }))
    await open('/')
    await visible(page.getByRole('heading', { name: 'Welcome to Heddle' }))
    await visible(page.getByText('Ask for the first product'))

    await page.route('**/api/v1/domains', async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 600))
      await route.continue()
    })
    await page.goto(`${double.url}/new`)
    await visible(page.getByRole('status', { name: 'Loading' }).first())
    await visible(page.getByLabel('Name'))
  })

  test('service levels say promise, figure, budget and what comes, and every day stands in a table too', async () => {
    await open('/p/operations/flights?tab=slos')
    const freshness = page.getByRole('row', { name: /freshness/i }).first()
    for (const text of [
      'at most 24 h old, 95% of hours',
      '96.46 %',
      '17 of 24 h used',
      '463 of 480 h good',
      '29 % left',
      '8 more hours that are late',
    ])
      await visible(freshness.getByText(text))
    await visible(
      freshness.getByRole('img', { name: /freshness, 20 days to .*: 17 met, 1 at risk, 1 breached, 1 not evaluated/ }),
    )
    await freshness.getByRole('link', { name: 'Incident 19' }).waitFor()
    await page.getByText('Day by day').click()
    const days = page.getByRole('table').filter({ hasText: 'Day, UTC' })
    assert.equal(await days.getByRole('row').count(), 21)
    assert.equal(await days.getByText('replayed').count(), 13 + 14 + 14)
    await visible(days.getByText('15 of 24 hours good'))
    await visible(days.getByText('24 hours not measured'))
    await open('/p/clinical-care/encounters?tab=slos')
    await visible(page.getByText('It needs 5 updates to compare with and has 2'))
    await visible(page.getByText('No data', { exact: true }).first())
    await open('/p/fleet/planes?tab=slos')
    await visible(page.getByText('Nothing is promised'))
  })

  test('an incident is one click from Home, says who is hit and told, and is taken in place', async () => {
    await open('/')
    await page.getByRole('link', { name: 'Open incident 19' }).click()
    await page.waitForURL(/\/incidents\/19/)
    await visible(page.getByText('1 consumer: analytics-users'))
    await visible(page.getByRole('row', { name: /operations-chat webhook opened Not yet 3 tries: the receiver answered 503/ }))
    await page.getByRole('button', { name: 'Take it' }).click()
    await visible(page.getByText('Taken by dev', { exact: true }))
    assert.equal(sent('POST', '/incidents/19/acknowledge').length, 1)
    assert.equal(await page.getByRole('button', { name: 'Take it' }).count(), 0)
    await open('/incidents/18')
    await visible(page.getByText('an incident downstream sends nothing of its own'))
    await page.getByRole('link', { name: 'Incident 19' }).click()
    await page.waitForURL(/\/incidents\/19/)
  })

  test('a way back is offered to owners alone, and only where data is kept', async () => {
    await open('/p/operations/flights?tab=releases')
    assert.deepEqual(await page.getByRole('link', { name: /^Roll back to r/ }).allTextContents(), [
      'Roll back to r11 in prod',
      'Roll back to r10 in prod',
    ])
    await page.getByRole('link', { name: 'Roll back', exact: true }).click()
    await visible(page.getByRole('heading', { name: 'Roll back prod to r11 · 1.4.0' }))
    await visible(page.getByText('Masks, row filters and grants of daily v1'))
    assert.equal(await page.getByRole('link', { name: /^Roll back/ }).count(), 0, 'one decision at a time')
    await page.getByRole('button', { name: 'Roll back to r11' }).click()
    await page.waitForURL(/\/runs\/816/)
    assert.deepEqual(
      sent('POST', '/products/operations/flights/rollback').map(({ body }) => body),
      [
        { environment: 'prod', to: 11 },
        { environment: 'prod', to: 11 },
      ],
      'the dry run, then the run',
    )
    fixtures.me.groups = []
    await open('/p/operations/flights?tab=releases&rollback=prod')
    await visible(page.getByText('team-operations can roll back.'))
    assert.equal(await page.getByRole('button', { name: /Roll back/ }).count(), 0)
    assert.equal(await page.getByRole('button', { name: 'More actions' }).count(), 0)
  })

  test('a release that a roll back pinned says so, and is let go in place', async () => {
    fixtures.operate.products['operations/flights'].environments[0]!.pinned = { by: 'ana', at: new Date().toISOString() }
    double.answers.set('POST /products/operations/flights/unpin', () => ({
      status: 200,
      body: fixtures.runs.find((run) => run.number === 816),
    }))
    await open('/p/operations/flights?tab=releases')
    await visible(page.getByText('Pinned by ana with a roll back'))
    await page.getByRole('button', { name: 'Unpin prod' }).click()
    await page.waitForURL(/\/runs\/816/)
    assert.deepEqual(sent('POST', '/products/operations/flights/unpin')[0]?.body, { environment: 'prod' })
  })

  test('deploying what is there already says so in place', async () => {
    double.answers.set('POST /products/operations/flights/deploy', () => ({
      status: 200,
      body: { ...fixtures.operate.rollback, kind: 'deploy', steps: [], summary: 'Nothing to change as of 14:05 UTC' },
    }))
    await open('/p/operations/flights')
    await page.getByRole('button', { name: 'More actions' }).click()
    await page.getByRole('button', { name: /^Deploy the head of main/ }).click()
    await visible(page.getByText('Nothing to change as of 14:05 UTC'))
  })

  test('a retirement needs the name, and does not begin while somebody reads', async () => {
    await open('/p/fleet/planes/retire')
    const confirm = page.getByRole('button', { name: 'Retire fleet/planes' })
    await confirm.click()
    await visible(page.getByText('That is not fleet/planes.'))
    assert.equal(await page.evaluate('document.activeElement.name'), 'confirm')
    assert.equal(sent('POST', '/requests').length, 1, 'only the dry run')
    await page.getByLabel('Type fleet/planes to confirm').fill('fleet/planes')
    await page.getByLabel('Why').fill('Replaced by fleet/aircraft')
    await confirm.click()
    await page.waitForURL(/\/runs\/816/)
    assert.deepEqual(sent('POST', '/requests')[1]?.body, {
      kind: 'retire',
      payload: { product: 'fleet/planes', because: 'Replaced by fleet/aircraft' },
    })
    await open('/p/operations/flights/retire')
    await visible(page.getByRole('region', { name: 'What stands in the way' }).getByText('is read by analytics-users'))
    await visible(page.getByText('heddle access revoke 42', { exact: true }))
    assert.equal(await page.getByRole('button', { name: /^Retire/ }).count(), 0)
  })

  test('a retired product is its certificate and the way back', async () => {
    await open('/p/fleet/stations')
    await visible(page.getByText('Nobody has read it for 74 days'))
    await visible(page.getByText('10 questions, nothing is left'))
    await visible(page.getByText('/var/lib/heddle/archive/fleet.stations.640'))
    await page.getByRole('button', { name: 'Restore' }).click()
    await page.getByRole('button', { name: 'Confirm restore' }).click()
    await page.waitForURL(/\/runs\/816/)
    assert.deepEqual(sent('POST', '/requests').at(-1)?.body, { kind: 'restore', payload: { product: 'fleet/stations' } })
  })

  test('the address that messages name leads to the product', async () => {
    await page.goto(`${double.url}/products/operations/flights`)
    await page.waitForURL(/\/p\/operations\/flights/)
  })

  test('the checks of a page see what they are for', async () => {
    await open('/runs')
    assert.deepEqual(await page.evaluate(CHECKS), [])
    await page.evaluate("document.documentElement.style.setProperty('--muted', '#b0b8c0')")
    await page.evaluate(
      "document.querySelector('main').insertAdjacentHTML('beforeend', '<h1>x</h1><button></button><svg></svg><p id=wide>wide text</p>')",
    )
    await page.evaluate("document.getElementById('wide').style.width = '3000px'")
    const found = ((await page.evaluate(CHECKS)) as string[]).join('\n')
    for (const kind of [/contrast/, /2 h1/, /no name/, /svg without title/, /wider than the window/]) assert.match(found, kind)
  })

  test('nothing moves while a page loads', async () => {
    for (const path of ['/', '/runs/812', '/p/clinical-care/encounters', '/p/operations/flights', '/incidents/19', '/requests']) {
      await open(path)
      await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
      const shift = await page.evaluate(
        'new Promise((resolve) => { let sum = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) sum += entry.value }).observe({ type: "layout-shift", buffered: true }); setTimeout(() => resolve(sum), 300) })',
      )
      assert.ok(Number(shift) <= 0.02, `${path} shifts by ${shift}`)
    }
  })

  test('Tab walks the run page without a trap and shows where it is', async () => {
    await open('/runs/812')
    await visible(page.locator('[data-opened="true"]'))
    const seen: string[] = []
    for (let presses = 0; presses < 80; presses++) {
      await page.keyboard.press('Tab')
      const at = (await page.evaluate(
        `(() => { const e = document.activeElement; const ring = getComputedStyle(e).outlineStyle !== 'none' || getComputedStyle(e.nextElementSibling ?? e).outlineStyle !== 'none' || e.matches('input, textarea, select'); return e === document.body ? 'body' : (ring ? '' : 'NO RING ') + e.tagName + ' ' + (e.getAttribute('aria-label') ?? e.textContent ?? '').trim().slice(0, 40) })()`,
      )) as string
      seen.push(at)
      if (at === 'body') break
    }
    assert.equal(seen[0], 'A Skip to content')
    assert.ok(seen.some((name) => name.includes('Retry from transform')))
    assert.ok(seen.some((name) => name.includes('Log lines')))
    assert.equal(seen.at(-1), 'body', `ends after ${seen.length} stops`)
    assert.deepEqual(
      seen.filter((name) => name.startsWith('NO RING')),
      [],
    )
  })
})

function staticImports(source: string, files: string[]): string[] {
  const named = [...source.matchAll(/(?:from|import)\s*["']\.\/([^"']+)["']/g)].map((match) => match[1]!)
  return named.filter((file) => files.includes(file))
}
