import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Browser, Locator, Page } from 'playwright-core'
import type { TestPlatform } from '../platform.ts'
import { makeProduct, ORDERS_SQL, push, servedOrders, startSmallMesh, waitForEnd } from '../small-mesh.ts'
import { openBrowser } from './browser.ts'
import { buildPortal } from './built-portal.ts'
import { countClicks } from './count-clicks.ts'

/** Jobs of the experience reference on the real platform, with what they may cost in clicks. Each test leaves what the next one finds. */
const ORDERS = 'shop/orders'
const PAGE = `/p/${ORDERS}`
const MODEL = 'dbt/models/orders.sql'

let platform: TestPlatform
let browser: Browser
let closeBrowser: () => Promise<void>
let page: Page
let tree: string
let noise: string[] = []

before(async () => {
  await buildPortal()
  platform = await startSmallMesh()
  ;({ browser, close: closeBrowser } = await openBrowser())
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
  page = await context.newPage()
  page.setDefaultTimeout(30_000)
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) noise.push(message.text())
  })
  page.on('pageerror', (error) => noise.push(error.message))
  await page.goto((await platform.client().once()).url)
  await visible(page.getByRole('heading', { name: 'Welcome to Heddle' }))
})
after(async () => {
  await closeBrowser?.()
  await platform?.dispose()
})
beforeEach(() => {
  noise = []
})

const visible = (locator: Locator) => locator.waitFor({ state: 'visible' })
const open = async (path: string) => {
  await page.goto(platform.url + path)
  await visible(page.getByRole('heading', { level: 1 }))
}
const link = (name: string | RegExp) => page.getByRole('link', { name, exact: typeof name === 'string' })
const button = (name: string) => page.getByRole('button', { name, exact: true })
const items = async () => (await servedOrders(platform)).map((row) => row.item)

test('J1: a new product costs a name and two clicks; its page shows the scaffold turn green', async () => {
  await open('/')
  const counter = countClicks()
  await counter.click('New product', link('New product'))
  await counter.type('name', page.getByLabel('Name'), 'returns')
  await counter.click('Create', button('Create shop/returns'))
  await page.waitForURL(/\/runs\/\d+/)
  await visible(page.getByRole('heading', { name: 'Bootstrap shop/returns' }))
  await visible(page.getByRole('region', { name: 'What follows' }).getByText(/Deploy to prod \(run \d+\) served it/))
  counter.within(3)
  const product = await platform.client().product('shop/returns')
  assert.equal(product.environments[0]?.release?.number, 1)
  assert.deepEqual(noise, [])
})

test('J2: from Home to the first error of a failed deploy is one click', async () => {
  await makeProduct(platform, ORDERS, ['--template', 'orders'])
  tree = await platform.clone(ORDERS)
  const good = await push(platform, tree, { [MODEL]: ORDERS_SQL.replace('item,', `item || ' (new)' as item,`) })
  assert.equal((await waitForEnd(platform, good.run!)).state, 'succeeded')
  const bad = await push(platform, tree, { [MODEL]: `${ORDERS_SQL.trim()} union all ${ORDERS_SQL}` })
  assert.equal((await waitForEnd(platform, bad.run!)).state, 'failed')

  await open('/')
  await visible(page.getByRole('heading', { level: 1, name: '1 run failed' }))
  const counter = countClicks()
  await counter.click('Open run', link(`Open run ${bad.run}`))
  const error = page.locator('[data-opened="true"]')
  await visible(error)
  assert.match((await error.textContent()) ?? '', /error.*unique_orders_id/)
  await visible(page.getByText('opened at the first error'))
  await visible(page.getByText('Consumers still read r2'))
  counter.within(1)
  assert.deepEqual(noise, [])
})

test('the levels of a young product say what they gather, and never that all is well', async () => {
  await open(`${PAGE}?tab=slos`)
  await visible(page.getByRole('rowheader', { name: /Completeness|completeness/ }))
  await visible(page.getByText('It needs 5 updates to compare with and has 2'))
  // The days of the closed table say "Met" of themselves; of a level nobody says it yet.
  assert.equal(await page.locator('[data-family="ok"]', { hasText: 'Met' }).filter({ visible: true }).count(), 0)
})

test('J3: a roll back is two clicks from the page of the product, its diff shown between them', async () => {
  assert.deepEqual(await items(), ['pen (new)', 'ink (new)', 'paper (new)'])
  await open(PAGE)
  const counter = countClicks()
  await counter.click('Roll back', link('Roll back'))
  const card = page.getByRole('region', { name: 'Roll back prod to r1' })
  await visible(card.getByText('Revision 1 of r1 is kept'))
  await visible(card.getByText('Hits nobody'))
  const began = performance.now()
  await counter.click('Confirm', button('Roll back to r1'))
  await visible(page.getByRole('region', { name: 'What is served now' }).getByText(/r1 · 1\.0\.0 served since \d\d:\d\d:\d\d/))
  const ms = performance.now() - began
  counter.within(2)
  assert.ok(ms <= 10_000, `${Math.round(ms)} ms`)
  assert.deepEqual(await items(), ['pen', 'ink', 'paper'])

  await link('Releases').click()
  const served = page.getByRole('row', { name: /^r1 · 1\.0\.0 Served/ })
  await visible(served)
  assert.equal(await served.getByRole('link', { name: /Roll back/ }).count(), 0, 'never offered for what is in service')
  await visible(link(/Roll back to r2 in prod/))
  assert.deepEqual(noise, [])
})

test('a refresh is started from the page of the product and followed', async () => {
  await open(PAGE)
  await button('More actions').click()
  await page.getByRole('button', { name: /^Refresh prod now/ }).click()
  await page.waitForURL(/\/runs\/\d+/)
  await visible(page.getByText(/^Run \d+: Succeeded$/))
  assert.deepEqual(await items(), ['pen', 'ink', 'paper'], 'the release that was rolled back to')
})

test('J9: a retirement is three acts from the page of the product, the dry run shown between them', async () => {
  await open(PAGE)
  const counter = countClicks()
  await counter.click('Retire', link('Retire'))
  await visible(page.getByText('Nobody has an agreement, so nobody is cut off.'))
  await visible(page.getByText('Ask PostgreSQL and git that nothing is left'))
  await counter.type('name', page.getByLabel(`Type ${ORDERS} to confirm`), ORDERS)
  await counter.click('Confirm', button(`Retire ${ORDERS}`))
  await page.waitForURL(/\/runs\/\d+/)
  await visible(page.getByRole('region', { name: 'What is left' }).getByText(`${ORDERS} is retired.`))
  counter.within(3)

  await link('Certificate and restore').click()
  await visible(page.getByText('No reason was given.'))
  assert.ok((await page.getByRole('row', { name: /PostgreSQL, prod .* none/ }).count()) >= 5)
  assert.equal(await page.getByRole('row', { name: /repository none/ }).count(), 1)
  assert.deepEqual(noise, [])
})

test('a restore brings the same rows back, in two clicks from the tombstone', async () => {
  await open(PAGE)
  const counter = countClicks()
  await counter.click('Restore', button('Restore'))
  await visible(page.getByText('Read the whole archive and compare its checksums'))
  await counter.click('Confirm', button('Confirm restore'))
  await page.waitForURL(/\/runs\/\d+/)
  await visible(page.getByText(`${ORDERS} is back.`))
  counter.within(2)
  assert.deepEqual(await items(), ['pen', 'ink', 'paper'])
  await open(PAGE)
  await visible(page.getByRole('heading', { name: 'Service levels' }))
  await open('/requests?show=all')
  await visible(page.getByText(`Restore ${ORDERS}`).first())
  assert.deepEqual(noise, [])
})
