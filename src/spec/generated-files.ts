import { generateSources, SOURCES_PATH } from './generate-sources.ts'
import { schemaFiles } from './schema-files.ts'
import type { ProductSpec } from './types.ts'

const GENERATED = '# Generated from data_product_spec.yml'

/**
 * The generated files of a repository that are not what the spec says now, by path. One that was written by hand is left alone, and so are the schemas of a
 * repository that has none.
 * @param present texts of the repository's files
 */
export function staleFiles(spec: ProductSpec, present: Readonly<Record<string, string>>): Record<string, string> {
  const wanted: Record<string, string> = {}
  for (const { projectDir } of spec.transformations) {
    const path = `${projectDir}/${SOURCES_PATH}`
    const text = generateSources(spec)
    const isTheirs = path in present ? !present[path]!.startsWith(GENERATED) : hasSources(present, projectDir)
    if (!isTheirs && (path in present || text.includes('sources:'))) wanted[path] = text
  }
  for (const [path, text] of Object.entries(schemaFiles())) if (path in present) wanted[path] = text
  return Object.fromEntries(Object.entries(wanted).filter(([path, text]) => present[path] !== text))
}

function hasSources(present: Readonly<Record<string, string>>, projectDir: string): boolean {
  return Object.entries(present).some(
    ([path, text]) => path.startsWith(`${projectDir}/`) && /\.ya?ml$/.test(path) && /^sources:/m.test(text),
  )
}
