import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Gives every product a number of its own, for good: kept in `<workDir>/uids.json`, since a number used again would open an old product's files. */
export function createProductUids(workDir: string, base: number): (product: string) => Promise<number> {
  const path = join(workDir, 'uids.json')
  let last: Promise<unknown> = Promise.resolve()

  async function assign(product: string): Promise<number> {
    const known = await readKnown(path)
    if (known[product] === undefined) {
      known[product] = Object.values(known).reduce((highest, n) => Math.max(highest, n), -1) + 1
      await writeFile(`${path}.new`, JSON.stringify(known), { mode: 0o600 })
      await rename(`${path}.new`, path)
    }
    return base + known[product]
  }

  return (product) => {
    const mine = last.then(() => assign(product))
    last = mine.catch(() => undefined)
    return mine
  }
}

async function readKnown(path: string): Promise<Record<string, number>> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    // Only a missing file is an empty list.
    if (error.code === 'ENOENT') return '{}'
    throw error
  })
  return Object.assign(Object.create(null), JSON.parse(text)) as Record<string, number>
}
