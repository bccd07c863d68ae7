import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Browser, Locator, Page } from 'playwright-core'
import { build } from 'vite'
import { openBrowser } from './browser.ts'
import { problem, startDouble } from './double.ts'
import { addReaders } from './find-fixtures.ts'
import { type Fixtures, makeFixtures } from './fixtures.ts'

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
const KB = 1024

/** The pages of who looks for data, against the double of the API: what each shows, in each of its states. */
describe('pages to find data', () => {
  let root: string
  let browser: Browser
  let closeBrowser: () => Promise<void>
  let fixtures: Fixtures
  let double: Awaited<ReturnType<typeof startDouble>>
  let page: Page

  before(async () => {
    root = await mkdtemp(join(tmpdir(), 'heddle-find-'))
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
    page = await openPage()
    if ('after' in context)
      context.after(async () => {
        await page.context().close()
        await double.close()
      })
  })

  async function openPage(): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      timezoneId: 'Europe/Berlin',
      reducedMotion: 'reduce',
    })
    const opened = await context.newPage()
    opened.setDefaultTimeout(10_000)
    return opened
  }

  const open = async (path: string) => {
    await page.goto(double.url + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
  }
  const visible = (locator: Locator) => locator.waitFor({ state: 'visible' })
  const asked = (path: string) => double.received.filter((one) => one.path === path)
  const own = (...groups: string[]) => fixtures.me.groups.push(...groups)

  test('the search of every page: / focuses, the list says why, arrows choose, Enter opens', async () => {
    await open('/runs')
    await page.keyboard.press('/')
    await page.keyboard.type('flight')
    const options = page.getByRole('listbox', { name: 'Found' }).getByRole('option')
    await visible(options.filter({ hasText: 'operations/flights' }))
    await visible(options.filter({ hasText: 'column flight_date' }))
    assert.equal(await page.locator('mark').first().textContent(), 'flight')
    await page.keyboard.press('ArrowDown')
    assert.equal(await options.nth(1).getAttribute('aria-selected'), 'true')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/p\/punctuality\/delays\?tab=data/)
    await open('/runs')
    await page.keyboard.press('/')
    await page.keyboard.type('planes')
    // At once, before any list has come.
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/p\/fleet\/planes/)
    await open('/runs')
    await page.keyboard.press('/')
    await page.keyboard.type('nothing like it')
    await visible(page.getByText('Nothing mentions “nothing like it”'))
    await page.keyboard.press('Escape')
    assert.equal(await page.getByRole('combobox', { name: 'Search products and columns' }).inputValue(), '')
  })

  test('the catalog: filters and order stand in the address, and Back takes them away', async () => {
    await open('/catalog')
    await visible(page.getByRole('heading', { name: '7 products' }))
    await page.getByLabel('Find in the catalog').fill('tail')
    await page.waitForURL(/q=tail/)
    await visible(page.getByRole('row', { name: /fleet\/planes.*column tailnum in planes\.planes/ }))
    await page.getByText('Freshest', { exact: true }).click()
    await page.waitForURL(/sort=freshness/)
    await page.getByRole('navigation', { name: 'Filters' }).getByRole('link', { name: 'fleet' }).click()
    await page.waitForURL(/domain=fleet/)
    await visible(page.getByRole('heading', { name: /1 product matches/ }))
    await page.goBack()
    await visible(page.getByRole('heading', { name: /2 products match/ }))
    await page.reload()
    await visible(page.getByRole('heading', { name: /2 products match/ }))
    await open('/products?domain=fleet')
    await page.waitForURL(/\/catalog\?domain=fleet/)
  })

  test('levels are asked for rows in sight, and access is told', async () => {
    await open('/catalog')
    await visible(page.getByRole('img', { name: /freshness, 20 days/ }).first())
    await visible(page.getByText('Can request').first())
    assert.equal(asked('/products/fleet/crews/slo').length, 0, 'nothing is asked of what is not released')
  })

  test('the next page is asked for by the cursor, and only when wanted', async () => {
    const [first] = fixtures.find.summaries
    for (let index = 0; index < 60; index++)
      fixtures.find.summaries.push({
        ...first!,
        address: `many/p${String(index).padStart(2, '0')}`,
        domain: 'many',
        release: null,
      })
    await open('/catalog')
    await visible(page.getByRole('heading', { name: 'First 50 products' }))
    assert.equal(asked('/search').length, 1)
    await page.getByRole('button', { name: 'Show more' }).click()
    await visible(page.getByRole('heading', { name: '67 products' }))
  })

  test('nothing found: names spelled like it, filters that can go, and how to ask', async () => {
    await open('/catalog?q=fligths')
    await visible(page.getByText('Nothing mentions “fligths”'))
    await visible(page.getByRole('link', { name: 'operations/flights' }))
    await open('/catalog?q=flights&domain=fleet')
    await page.getByRole('link', { name: /without domain fleet/ }).click()
    await visible(page.getByRole('heading', { name: /2 products match/ }))
    await open('/catalog?state=delisted')
    await visible(page.getByText('Nothing that is retired'))
  })

  test('a failing search says so and goes on', async () => {
    double.answers.set('GET /search', () => problem(503, 'CATALOG_BUSY', 'The catalog is being built'))
    await open('/catalog')
    await visible(page.getByText('The catalog is being built'))
    double.answers.delete('GET /search')
    await page.getByRole('button', { name: 'Try again' }).click()
    await visible(page.getByRole('heading', { name: '7 products' }))
  })

  test('of 98 readers eight are drawn and 90 are one group, searched and taken out by name', async () => {
    addReaders(fixtures.find, 'operations/flights', 95)
    await open('/lineage?of=operations/flights')
    await page.getByRole('button', { name: /operations\/flights, Enter lists them/ }).click()
    const list = page.getByRole('region', { name: /more behind/ })
    await visible(list)
    await list.getByLabel('Find in the group').fill('r05')
    assert.equal(await list.getByRole('listitem').count(), 10)
    await list.getByRole('button', { name: 'Show reports/r050' }).click()
    await visible(page.locator('[data-node="reports/r050"]'))
    await page.waitForURL(/pick=/)
    assert.ok(await page.locator('[data-node="reports/r090"]').count(), 'what is in trouble does not hide')
  })

  test('more than 300 nodes ask for a filter; the list shows them at once', async () => {
    const roots = Array.from({ length: 320 }, (_, index) => ({
      address: `a/b/p.o.c${index}`,
      kind: 'column',
      name: `c${index}`,
      product: 'a/b',
      state: null,
      slo: null,
      up: 0,
      down: 0,
    }))
    double.answers.set('GET /lineage', () => ({
      status: 200,
      body: { focus: 'a/b', level: 'column', environment: 'prod', nodes: roots, edges: [], missing: [] },
    }))
    await open('/lineage?of=a/b&level=column')
    await visible(page.getByText('320 nodes are too many for a picture'))
    await page.getByLabel('Show only').fill('c31')
    await visible(page.locator('[data-node="a/b/p.o.c31"]'))
    await page.getByLabel('Show only').fill('')
    await page.getByRole('button', { name: 'Show the list' }).click()
    assert.equal(await page.getByRole('row').count(), 321)
  })

  test('what could not be read is told beside what could', async () => {
    await open('/lineage?of=operations/flights&level=column')
    await visible(page.getByText('The columns of weather/hourly could not be read'))
    await visible(page.locator('[data-node]').first())
    double.answers.set('GET /lineage', (_, query) =>
      query.get('of') === 'network/airports'
        ? problem(503, 'CATALOG_LINEAGE_BUSY', 'Lineage is being rebuilt')
        : { status: 200, body: fixtures.find ? lineageOf(query) : null },
    )
    await open('/lineage?of=operations/flights&open=up:network/airports')
    await visible(page.getByText('What is before network/airports could not be read: Lineage is being rebuilt'))
    await visible(page.locator('[data-node="operations/flights"]'))
  })

  test('the layout engine failing leaves plain columns and says why', async () => {
    await page.route('**/elk-worker*', (route) => route.abort())
    await open('/lineage?of=operations/flights')
    await visible(page.getByText('The layout engine failed'))
    await visible(page.locator('[data-node="network/airports"]'))
  })

  test('usage: bars and a table with the same numbers, readers for owners, a proposal with its way', async () => {
    await open('/p/clinical-care/encounters?tab=usage')
    await visible(page.getByRole('img', { name: /Reads of encounters-sql a day/ }))
    await page.getByText('Show as a table').click()
    const total = await page.locator('details table tbody tr').count()
    assert.equal(total, await page.locator('main svg rect').count())
    own('clinical-data-team')
    double.answers.set('GET /products/clinical-care/encounters/usage', () => ({
      status: 200,
      body: {
        product: 'clinical-care/encounters',
        asOf: null,
        coverage: 'Reads are counted.',
        ports: [],
        proposal: { unusedDays: 63, because: 'No agreement is active.', since: new Date().toISOString() },
      },
    }))
    await open('/p/clinical-care/encounters?tab=usage')
    await visible(page.getByText('Nobody has read it for 63 days.'))
    await visible(page.getByRole('link', { name: 'See what retiring it would do' }))
  })

  test('Ctrl K goes to a page or a product, ? lists the keys, g c goes to the catalog', async () => {
    await open('/runs')
    await page.keyboard.press('Control+k')
    await visible(page.getByRole('dialog'))
    await page.keyboard.type('catal')
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/catalog/)
    await page.keyboard.press('F1')
    await visible(page.getByRole('dialog'))
    await page.keyboard.type('airports')
    await visible(page.getByRole('option', { name: /network\/airports/ }).first())
    await page.keyboard.press('Enter')
    await page.waitForURL(/\/p\/network\/airports/)
    await open('/runs')
    await page.keyboard.press('?')
    await visible(page.getByRole('dialog', { name: 'Keys' }))
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await page.keyboard.press('g')
    await page.keyboard.press('c')
    await page.waitForURL(/\/catalog/)
  })

  test('an owner ends an agreement after saying so', async () => {
    own('clinical-data-team')
    double.answers.set('POST /agreements/42/revoke', () => ({ status: 200, body: fixtures.runs[0] }))
    await open('/p/clinical-care/encounters?tab=access')
    await page.getByRole('button', { name: 'Revoke agreement 42' }).click()
    assert.equal(double.received.filter((one) => one.method === 'POST').length, 0)
    await page.getByLabel('Why', { exact: true }).first().fill('report retired')
    await visible(page.getByText("heddle access revoke 42 --reason 'report retired'"))
    await Promise.all([page.waitForResponse(/revoke/), page.getByRole('button', { name: 'Revoke agreement 42' }).click()])
    assert.deepEqual(double.received.find((one) => one.path.endsWith('revoke'))?.body, { reason: 'report retired' })
  })

  test('open lists and dialogs pass axe', async () => {
    await open('/runs')
    await page.keyboard.press('/')
    await page.keyboard.type('flight')
    await visible(page.getByRole('listbox').getByRole('option').first())
    assert.deepEqual(await axe(page), [])
    await page.keyboard.press('Escape')
    for (const key of ['Control+k', '?']) {
      await page.keyboard.press(key)
      await visible(page.getByRole('dialog'))
      assert.deepEqual(await axe(page), [])
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    }
  })

  test('the picture and its engine come with the lineage page alone, and stay small', () => {
    const files = readdirSync(join(root, 'assets'))
    const size = (pattern: RegExp) =>
      files
        .filter((file) => pattern.test(file))
        .reduce((sum, file) => sum + gzipSync(readFileSync(join(root, 'assets', file))).length, 0)
    const lineage = size(/^(graph-view|lineage-).*\.js$/)
    assert.ok(lineage > 30 * KB && lineage <= 90 * KB, `${Math.round(lineage / KB)} KB`)
    assert.ok(files.some((file) => /^elk-worker.*\.js$/.test(file)))
    const first = readFileSync(join(root, 'index.html'), 'utf8')
    assert.doesNotMatch(first, /elk|graph-view|lineage/)
    assert.ok(size(/^palette.*\.js$/) <= 6 * KB)
  })

  function lineageOf(query: URLSearchParams): unknown {
    const of = query.get('of')!
    const near = fixtures.find.edges.filter((edge) => edge.from === of || edge.to === of)
    return {
      focus: of,
      level: 'product',
      environment: 'prod',
      nodes: [...new Set([of, ...near.flatMap(({ from, to }) => [from, to])])].map((address) => fixtures.find.nodes.get(address)),
      edges: near,
      missing: [],
    }
  }
})

/** Violations, one line each. */
async function axe(page: Page): Promise<string[]> {
  await page.evaluate(AXE)
  return page.evaluate(async (tags) => {
    const { axe } = globalThis as unknown as {
      axe: {
        run: (
          options: unknown,
        ) => Promise<{ violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[] }>
      }
    }
    const { violations } = await axe.run({ runOnly: { type: 'tag', values: tags }, rules: { 'target-size': { enabled: true } } })
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.failureSummary.replaceAll('\n', ' ')}`),
    )
  }, TAGS)
}
