import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { build } from 'vite'
import { openBrowser } from './browser.ts'
import { problem, startDouble } from './double.ts'
import { makeFixtures } from './fixtures.ts'
import { nameOf, PAGES, type PageCase } from './pages.ts'

const CHECKS = readFileSync(join(import.meta.dirname, 'page-checks.js'), 'utf8')
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']
/** axe ships the only rule of WCAG 2.2 AA switched off. */
const RUN = `axe.run(document, { runOnly: { type: 'tag', values: ${JSON.stringify(TAGS)} }, rules: { 'target-size': { enabled: true } }, resultTypes: ['violations'] })
  .then(({ violations, testEngine }) => ({ version: testEngine.version, found: violations.flatMap((rule) => rule.nodes.map((node) => rule.id + ' ' + node.target.join(' ') + ' ' + node.html.slice(0, 160))) }))`

let root: string
let browser: Browser
let closeBrowser: () => Promise<void>

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'heddle-portal-'))
  await build({ root: join(import.meta.dirname, '../../web'), logLevel: 'error', build: { outDir: root } })
  ;({ browser, close: closeBrowser } = await openBrowser())
})
after(async () => {
  await closeBrowser?.()
  await rm(root, { recursive: true, force: true })
})

const ANSWERS = {
  empty: () => ({ status: 200, body: { items: [], next: null } }),
  broken: () => problem(500, 'INTERNAL_UNEXPECTED', 'Something failed that should not'),
  refused: () => problem(403, 'HTTP_NOT_ALLOWED', 'consumer may not see that', { fix: 'Ask its owner.' }),
}

/** Opens each of the pages once, in this window, and collects what a look at it finds. */
async function walk(
  window: { width: number; colorScheme: 'light' | 'dark' },
  pages: readonly PageCase[],
  look: (page: Page) => Promise<string[]>,
): Promise<Record<string, string[]>> {
  const double = await startDouble(makeFixtures(Date.now()), root)
  const context = await browser.newContext({
    viewport: { width: window.width, height: 900 },
    colorScheme: window.colorScheme,
    timezoneId: 'Europe/Berlin',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  page.setDefaultTimeout(10_000)
  const noise: string[] = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) noise.push(message.text())
  })
  page.on('pageerror', (error) => noise.push(error.message))
  const wrong: Record<string, string[]> = {}
  for (const one of pages) {
    double.answers.clear()
    for (const [route, answer] of Object.entries(one.answers ?? {})) double.answers.set(route, ANSWERS[answer])
    await page.goto(double.url + one.path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    // A part that has loaded may ask for another one.
    for (let looks = 0; looks < 2; looks++) {
      await page.waitForTimeout(150)
      await page.getByRole('status', { name: 'Loading' }).first().waitFor({ state: 'detached' })
    }
    const found = [...(await look(page)), ...noise.splice(0)]
    if (found.length) wrong[nameOf(one)] = found
  }
  await context.close()
  await double.close()
  return wrong
}

const checks = async (page: Page) => (await page.evaluate(CHECKS)) as string[]

for (const colorScheme of ['light', 'dark'] as const)
  test(`axe finds nothing on any page, and each fits, can be read and named: ${colorScheme}`, async () => {
    let seen = 0
    const wrong = await walk({ width: 1440, colorScheme }, PAGES, async (page) => {
      const own = await checks(page)
      await page.evaluate(AXE)
      const { version, found } = (await page.evaluate(RUN)) as { version: string; found: string[] }
      assert.equal(version, '4.14.1')
      seen++
      return [...own, ...found]
    })
    assert.deepEqual(wrong, {})
    assert.equal(seen, PAGES.length)
  })

test('axe sees what it is for', async () => {
  const context = await browser.newContext()
  const page = await context.newPage()
  await page.setContent(
    '<main><h1>x</h1><button style="width:10px;height:10px"></button><button style="width:10px;height:10px"></button></main>',
  )
  await page.evaluate(AXE)
  const { found } = (await page.evaluate(RUN)) as { found: string[] }
  for (const rule of [/^button-name/m, /^target-size/m, /^html-has-lang/m]) assert.match(found.join('\n'), rule)
  await context.close()
})

const WHOLE = PAGES.filter((one) => !one.answers)

for (const width of [1920, 1280, 1024, 320])
  test(`every page fits, can be read and named: ${width} px`, async () => {
    assert.ok(WHOLE.length >= 25)
    assert.deepEqual(await walk({ width, colorScheme: 'light' }, WHOLE, checks), {})
  })
