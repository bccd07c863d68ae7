import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vite'

const root = join(import.meta.dirname, '../..')

/** The portal that a started platform serves is the one of this tree; the launcher has built it already where it was used. */
export async function buildPortal(): Promise<void> {
  const outDir = join(root, 'dist/web')
  const built = statSync(join(outDir, 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const sources = globSync(['web/**/*.{ts,tsx,css,html}', 'src/{core,policy,spec,client}/**/*.ts'], { cwd: root })
  if (sources.some((path) => statSync(join(root, path)).mtimeMs > built))
    await build({ root: join(root, 'web'), logLevel: 'error', build: { outDir, emptyOutDir: true } })
}
