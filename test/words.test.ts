import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

/** One word for one thing (docs/glossary.md). Each row: what must not be written, and what is. */
export const BANNED: { word: RegExp; say: string; except?: RegExp }[] = [
  { word: /\bblueprints?\b/i, say: 'template or scaffold' },
  { word: /\bsubscribers?\b/i, say: 'consumer' },
  { word: /\bPluginRegistry\b|\bplug-?ins?\b/i, say: 'adapter', except: /vite|fastify|\bplugins: \[/i },
  { word: /\bdata ?sets? owner\b/i, say: 'owner' },
  { word: /\bprincipals?\b/i, say: 'subject', except: /principals\b/ },
  { word: /\bunpublish(es|ed)?\b/i, say: 'delist (catalog) or roll back (data)' },
]

const root = join(import.meta.dirname, '..')
const files = [
  ...globSync('src/**/*.{ts,sql}', { cwd: root }),
  ...globSync('web/**/*.{ts,tsx}', { cwd: root }),
  ...globSync('docs/**/*.md', { cwd: root }),
  'README.md',
].filter((path) => !path.endsWith('glossary.md'))

export function findBanned(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      BANNED.filter(({ word, except }) => word.test(line) && !except?.test(line)).map(
        ({ word, say }) => `${index + 1}: ${word.exec(line)![0]} → ${say}`,
      ),
    )
}

test('a banned word is found', () => {
  assert.deepEqual(findBanned('fine\nthe blueprint of it'), ['2: blueprint → template or scaffold'])
})

test('nobody uses a second word for one thing', () => {
  assert.ok(files.length > 150)
  const found = files.flatMap((path) => findBanned(readFileSync(join(root, path), 'utf8')).map((each) => `${path}:${each}`))
  assert.deepEqual(found, [])
})
