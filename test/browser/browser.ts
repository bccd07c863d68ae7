import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sparticuz from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

const INSTALLED = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/**
 * A Chromium of its own for one test file: an installed one where there is one, else the one that comes with the development dependencies, unpacked into
 * a folder that goes away again. The flags of that package are for a cloud function (one process, no web security), so only its binary is used.
 */
export async function openBrowser(): Promise<{ browser: Browser; close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-browser-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const executablePath = INSTALLED.find(existsSync) ?? (await unpack(folder))
    const browser = await chromium.launch({
      executablePath,
      args: ['--disable-gpu', '--font-render-hinting=none', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
      env: { ...process.env, TMPDIR: folder },
    })
    return {
      browser,
      close: async () => {
        await browser.close()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}

/** The package unpacks into the temporary folder and trusts what it finds there, so it gets one nobody else can write. */
async function unpack(folder: string): Promise<string> {
  const before = process.env.TMPDIR
  process.env.TMPDIR = folder
  try {
    return await sparticuz.executablePath()
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
}
