import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ERRORS, type ErrorRow } from '../src/core/errors.ts'

/** The page of all error codes, from the registry. Run this file to write it. */
export function errorsPage(): string {
  const rows = Object.entries(ERRORS as Record<string, ErrorRow>).sort(([a], [b]) => (a < b ? -1 : 1))
  const sections = rows.map(
    ([code, { status, summary, remedy, rule }]) =>
      `## ${code}\n\n${summary}. HTTP ${status}${rule ? `, rule ${rule}` : ''}.\n\n**What to do**: ${remedy}\n`,
  )
  return `# Error codes\n\nMade from \`src/core/errors.ts\` by \`node docs/errors-page.ts\`; \`heddle explain CODE\` shows the same.\n\n${sections.join('\n')}`
}

if (process.argv[1] === import.meta.filename) writeFileSync(join(import.meta.dirname, 'errors.md'), errorsPage())
