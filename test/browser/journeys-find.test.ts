import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import pg from 'pg'
import type { Browser, Page } from 'playwright-core'
import { startTestPlatform, type TestPlatform } from '../platform.ts'
import { openBrowser } from './browser.ts'
import { ensurePortal } from './built-portal.ts'
import { createHands } from './hands.ts'

const ENCOUNTERS = 'clinical-care/encounters'

/** What a consumer does to find, trust, get and read data, on the whole platform with the sample mesh; each journey in its order. */
describe('finding and using data', () => {
  let platform: TestPlatform
  let browser: Browser
  let closeBrowser: () => Promise<void>

  before(async () => {
    await ensurePortal()
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

  test('J4: the right data is found and judged in 2', async () => {
    const page = await openAs('consumer')
    const hands = createHands(page)
    await hands.search('encounters')
    await page.getByRole('listbox').getByRole('option').filter({ hasText: ENCOUNTERS }).first().waitFor()
    assert.ok((await page.getByRole('listbox').getByRole('option').count()) <= 9, 'at most eight, and the way to all')
    await hands.press('Enter')
    await page.waitForURL(/\/p\/clinical-care\/encounters/)
    hands.spent(2, 'J4')
    // What makes it trusted stands above the fold.
    for (const text of ['owner', 'published', 'terms', 'Service levels', 'Your access']) {
      const box = await page
        .getByText(text, { exact: text.startsWith('S') || text.startsWith('Y') })
        .first()
        .boundingBox()
      assert.ok(box && box.y + box.height <= 900, `${text} is above the fold`)
    }
    const strip = await page.locator('main svg[role=img]').first().boundingBox()
    assert.ok(strip && strip.y + strip.height <= 900, 'the strip of 20 days is above the fold')
    await page.context().close()
  })

  test('a product is found by the name of a column, and opens at it', async () => {
    const page = await openAs('consumer')
    const hands = createHands(page)
    await hands.search('admitted_at')
    await page.getByRole('listbox').getByRole('option').filter({ hasText: 'column admitted_at' }).waitFor()
    await hands.press('Enter')
    await page.locator('tr[aria-current=true]', { hasText: 'admitted_at' }).waitFor()
    hands.spent(2, 'by a column')
    assert.match(page.url(), /tab=data/)
    await page.goto(new URL('/catalog?q=admitted_at', platform.url).href)
    await page.getByRole('row', { name: /clinical-care\/encounters.*column admitted_at/ }).waitFor()
    await page.context().close()
  })

  test('J5: access is asked for in 5', async () => {
    const page = await openAs('consumer')
    const hands = createHands(page)
    await hands.search('encounters')
    await page.getByRole('listbox').getByRole('option').filter({ hasText: ENCOUNTERS }).first().waitFor()
    await hands.press('Enter')
    await hands.click(page.getByRole('banner').or(page.locator('main')).getByRole('link', { name: 'Request access' }).first())
    const form = page.getByRole('form', { name: 'Request access' })
    assert.equal(await form.getByLabel('Who reads').inputValue(), 'consumer')
    assert.equal(await form.getByLabel('Days').inputValue(), '90')
    await form.getByText('limited-data-set').waitFor()
    await hands.pick(form.getByLabel('Purpose'), 'quality-reporting')
    await hands.click(form.getByRole('button', { name: 'Request access' }))
    await page.waitForURL(/\/requests\/\d+/)
    await page.getByText('Requested').first().waitFor()
    hands.spent(5, 'J5')
    await page.context().close()
  })

  test('J7: the domain owner decides in 2, and sees what else the requester reads', async () => {
    const page = await openAs('owner')
    const hands = createHands(page)
    await hands.click(page.getByRole('link', { name: /Decide/ }).first())
    const card = page.getByRole('region', { name: /^Request \d+$/ })
    await card.getByText('Also reads').waitFor()
    await card.getByText('Would see').waitFor()
    await hands.click(card.getByRole('button', { name: 'Approve' }))
    await card.getByText('approved').first().waitFor()
    hands.spent(2, 'J7')
    await granted(platform)
    await page.context().close()
  })

  test('J6: the reader queries after 1', async () => {
    const page = await openAs('consumer', `/p/${ENCOUNTERS}`)
    const hands = createHands(page)
    await hands.click(page.getByRole('button', { name: 'Copy connection' }).first())
    await page.getByText('Copied').first().waitFor()
    hands.spent(1, 'J6')
    const copied = await page.evaluate<string>('navigator.clipboard.readText()')
    const url = /postgresql:\/\/\S+?(?=')/.exec(copied)?.[0]
    assert.ok(url, 'a psql command was copied')
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    const { rows } = await client.query('select count(*)::int as n from clinical_care_encounters_encounters_v1.patient')
    await client.end()
    assert.ok(rows[0].n > 0)
    const password = decodeURIComponent(/:\/\/[^:]+:([^@]+)@/.exec(url)![1]!)
    for (const way of ['psql', 'JDBC', 'dbt', 'Python', 'BI', 'HTTP']) {
      await page.getByText(way, { exact: true }).first().click()
      assert.ok(!(await page.locator('body').innerText()).includes(password), `${way} shows no password`)
    }
    // The same login serves every way: a second copy does not end the first.
    await page.getByText('Python', { exact: true }).first().click()
    await page.locator('main').getByRole('button', { name: 'Copy connection' }).last().click()
    await page.getByText('Copied').first().waitFor()
    assert.ok((await page.evaluate<string>('navigator.clipboard.readText()')).includes(url))
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
    await page.waitForFunction(`document.querySelectorAll('[data-node]').length > ${before}`)
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

async function granted(platform: TestPlatform): Promise<void> {
  for (const end = Date.now() + 30_000; ; ) {
    const { items } = await platform.client('consumer').productAccess(ENCOUNTERS)
    if (items.some((each) => each.subject === 'consumer' && each.state === 'active')) return
    assert.ok(Date.now() < end, `not granted: ${items.map((each) => each.state)}`)
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
}
