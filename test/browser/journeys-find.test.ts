import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { startTestPlatform, type TestPlatform } from '../platform.ts'
import { openBrowser } from './browser.ts'
import { buildPortal } from './built-portal.ts'
import { countClicks } from './count-clicks.ts'

const ENCOUNTERS = 'clinical-care/encounters'
const FLIGHTS = 'operations/flights'

/** What a consumer does to find, trust, get and read data, on the whole platform with the sample mesh; each journey in its order. */
describe('finding and using data', () => {
  let platform: TestPlatform
  let browser: Browser
  let closeBrowser: () => Promise<void>

  before(async () => {
    await buildPortal()
    platform = await startTestPlatform({ sample: true })
    await served(platform)
    const opened = await openBrowser()
    browser = opened.browser
    closeBrowser = opened.close
  })
  after(async () => {
    await closeBrowser?.()
    await platform?.dispose()
  })

  /** Signed in at the home page, looking as a sample user. */
  async function openAs(name: string, path = '/'): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      permissions: ['clipboard-read', 'clipboard-write'],
      reducedMotion: 'reduce',
    })
    const page = await context.newPage()
    page.setDefaultTimeout(20_000)
    await page.addInitScript((as) => sessionStorage.setItem('heddle-as', as), name)
    const { url } = await platform.client().once()
    const once = new URL(url)
    await page.goto(new URL(`/${once.search}`, platform.url).href)
    await page.getByText(`viewing as ${name}`).waitFor()
    if (path !== '/') await page.goto(new URL(path, platform.url).href)
    await page.getByRole('heading', { level: 1 }).waitFor()
    return page
  }

  const finder = (page: Page) => page.getByRole('combobox', { name: 'Search products and columns' })
  const found = (page: Page, text: string) =>
    page.getByRole('listbox', { name: 'Found' }).getByRole('option').filter({ hasText: text }).first()

  test('J4: the right data is found and judged in 2', async () => {
    const page = await openAs('consumer')
    const counter = countClicks()
    await counter.type('encounters', finder(page), 'encounters')
    await counter.click('open', found(page, ENCOUNTERS))
    await page.waitForURL(/\/p\/clinical-care\/encounters/)
    counter.within(2)
    // What makes it trusted stands above the fold.
    const region = (name: RegExp) => page.getByRole('region', { name }).first()
    for (const [what, part] of [
      ['owner', page.getByText(/^owner /).first()],
      ['freshness', page.getByText(/^published /).first()],
      ['terms', page.getByText(/limited-data-set/).first()],
      [
        'service levels',
        region(/^Service levels/)
          .getByRole('row')
          .nth(1),
      ],
      [
        'the strip of days',
        region(/^Service levels/)
          .getByRole('img')
          .first(),
      ],
      ['own access', region(/^Your access/)],
    ] as const) {
      const box = await part.boundingBox()
      assert.ok(box && box.y >= 0 && box.y + Math.min(box.height, 120) <= 900, `${what} is above the fold`)
    }
    await page.context().close()
  })

  test('a product is found by the name of a column, and opens at it', async () => {
    const page = await openAs('consumer')
    const counter = countClicks()
    await counter.type('admitted_at', finder(page), 'admitted_at')
    await counter.click('open', found(page, 'column admitted_at'))
    await page.locator('tr[aria-current=true]', { hasText: 'admitted_at' }).waitFor()
    counter.within(2)
    assert.match(page.url(), /tab=data/)
    await page.goto(new URL('/catalog?q=admitted_at', platform.url).href)
    await page.getByRole('row', { name: /clinical-care\/encounters.*column admitted_at/ }).waitFor()
    await page.context().close()
  })

  test('J5: access is asked for in 5', async () => {
    const page = await openAs('consumer')
    const counter = countClicks()
    await counter.type('flights', finder(page), 'flights')
    await counter.click('open', found(page, FLIGHTS))
    await counter.click('Request access', page.locator('main').getByRole('link', { name: 'Request access' }).first())
    const form = page.getByRole('form', { name: 'Request access' })
    assert.equal(await form.getByLabel('Who reads').inputValue(), 'consumer')
    assert.equal(await form.getByLabel('Days').inputValue(), '180')
    await form.getByText('Decides').waitFor()
    await counter.choose('purpose', form.getByLabel('Purpose'), 'analytics')
    await counter.click('send', form.getByRole('button', { name: 'Request access' }))
    await page.waitForURL(/\/requests\/\d+/)
    counter.within(5)
    await page.getByRole('region', { name: /^Request \d+$/ }).waitFor()
    await page.context().close()
  })

  test('J7: the domain owner decides in 2, and sees what else the requester reads', async () => {
    const page = await openAs('owner')
    const counter = countClicks()
    await counter.click('Decide', page.getByRole('link', { name: /^Decide/ }).first())
    const card = page.getByRole('region', { name: /^Request \d+$/ })
    await card.getByText('Also reads').waitFor()
    await card.getByRole('link', { name: ENCOUNTERS }).waitFor()
    await card.getByText('Would see').waitFor()
    await counter.click('Approve', card.getByRole('button', { name: 'Approve' }))
    await card.getByText(/^by owner/).waitFor()
    counter.within(2)
    await granted(platform, FLIGHTS)
    await page.context().close()
  })

  test('J6: the reader queries after 1, and one login serves every way', async () => {
    const page = await openAs('consumer', `/p/${FLIGHTS}`)
    const counter = countClicks()
    await counter.click('Copy connection', page.getByRole('button', { name: 'Copy connection' }).first())
    await page.getByText('Copied').first().waitFor()
    counter.within(1)
    const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()')
    const url = /postgresql:\/\/\S+?(?=')/.exec(await clipboard())?.[0]
    assert.ok(url, 'a psql command was copied')
    const select = /-c '(.*)'$/.exec(await clipboard())?.[1]
    assert.ok(select)
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query(select)
    await client.end()
    assert.ok(rows.length > 0, 'what was copied reads rows')
    const password = decodeURIComponent(/:\/\/[^:]+:([^@]+)@/.exec(url)![1]!)
    const connect = page.getByRole('region', { name: 'Connect' })
    for (const way of ['psql', 'JDBC', 'dbt', 'Python', 'BI', 'HTTP']) {
      await connect.getByText(way, { exact: true }).click()
      assert.ok(!(await page.locator('body').innerText()).includes(password), `${way} shows no password`)
    }
    // A second login would end the first.
    await connect.getByText('Python', { exact: true }).click()
    await connect.getByRole('button', { name: 'Copy connection' }).click()
    await connect.getByText('Copied').waitFor()
    assert.ok((await clipboard()).includes(url))
    await page.context().close()
  })

  test('lineage is walked with the keyboard, and the list says the same', async () => {
    const page = await openAs('consumer', '/lineage?of=punctuality/delays')
    const node = (address: string) => page.locator(`[data-node="${address}"]`)
    await node('punctuality/delays').waitFor()
    const at = () => page.evaluate<string | null>("document.activeElement?.getAttribute('data-node') ?? null")
    for (let presses = 0; presses < 40; presses++) {
      await page.keyboard.press('Tab')
      if ((await at()) === 'punctuality/delays') break
    }
    assert.equal(await at(), 'punctuality/delays', 'the picture is one stop of the Tab key, at its focus')
    await page.keyboard.press('ArrowLeft')
    const first = await at()
    assert.ok(first && first !== 'punctuality/delays', 'left leads to what it reads')
    await page.keyboard.press('ArrowRight')
    assert.equal(await at(), 'punctuality/delays')
    const walked = new Set<string>()
    await page.keyboard.press('ArrowLeft')
    for (let presses = 0; presses < 12; presses++) {
      walked.add((await at())!)
      await page.keyboard.press(presses < 6 ? 'ArrowUp' : 'ArrowDown')
    }
    for (const input of ['operations/flights', 'weather/hourly', 'fleet/planes'])
      assert.ok(walked.has(input), `${input} is met on the way: ${[...walked]}`)
    await node('weather/hourly').focus()
    const before = await page.locator('[data-node]').count()
    await page.keyboard.press('Enter')
    await page.waitForURL(/open=/)
    await page.locator('[data-node]').nth(before).waitFor()
    assert.equal(await at(), 'weather/hourly', 'focus stays where it was')
    const drawn = await page.locator('[data-node]').evaluateAll((nodes) => nodes.map((each) => each.getAttribute('data-node')))
    await page.getByText('List', { exact: true }).click()
    for (const address of drawn) await page.getByRole('row').filter({ hasText: address! }).first().waitFor()
    await page.getByText('Columns', { exact: true }).click()
    await page.getByRole('cell', { name: 'column', exact: true }).first().waitFor()
    await page.context().close()
  })
})

/** All products of the sample serve something. */
async function served(platform: TestPlatform): Promise<void> {
  for (const end = Date.now() + 240_000; ; ) {
    const { items } = await platform.client().products()
    if (items.length >= 6 && items.every((product) => product.release !== null)) return
    assert.ok(
      Date.now() < end,
      `not served: ${items.filter((each) => each.release === null).map((each) => `${each.address} ${each.state}`)}`,
    )
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}

async function granted(platform: TestPlatform, product: string): Promise<void> {
  for (const end = Date.now() + 30_000; ; ) {
    const { items } = await platform.client('consumer').productAccess(product)
    if (items.some((each) => each.subject === 'consumer' && each.state === 'active')) return
    assert.ok(Date.now() < end, `not granted: ${items.map((each) => each.state)}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
