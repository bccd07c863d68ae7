import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { build } from 'vite'

const ROOT = join(import.meta.dirname, '../..')
const BUILT = join(ROOT, 'dist/web')
const LOCK = join(ROOT, 'dist/web.building')
const LOCK_MS = 120_000

/** The portal as the platform serves it, built when its sources are newer; test files that start together build it once. */
export async function buildPortal(): Promise<void> {
  await mkdir(join(ROOT, 'dist'), { recursive: true })
  while (!(await taken())) await sleep(200)
  try {
    const sources = Math.max(await newest(join(ROOT, 'web')), (await stat(join(ROOT, 'src/http/schemas.ts'))).mtimeMs)
    if (existsSync(join(BUILT, 'index.html')) && (await stat(join(BUILT, 'index.html'))).mtimeMs > sources) return
    const [fresh, old] = [`${BUILT}.${process.pid}`, `${BUILT}.old.${process.pid}`]
    await build({ root: join(ROOT, 'web'), logLevel: 'error', build: { outDir: fresh } })
    if (existsSync(BUILT)) await rename(BUILT, old)
    await rename(fresh, BUILT)
    await rm(old, { recursive: true, force: true })
  } finally {
    await rm(LOCK, { recursive: true, force: true })
  }
}

async function taken(): Promise<boolean> {
  if (
    await mkdir(LOCK).then(
      () => true,
      () => false,
    )
  )
    return true
  const since = await stat(LOCK).catch(() => null)
  if (since && Date.now() - since.mtimeMs > LOCK_MS) await rm(LOCK, { recursive: true, force: true })
  return false
}

async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  const times = await Promise.all(
    entries.filter((entry) => entry.isFile()).map(async (entry) => (await stat(join(entry.parentPath, entry.name))).mtimeMs),
  )
  return Math.max(...times)
}
