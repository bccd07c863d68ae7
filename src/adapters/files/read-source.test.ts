import assert from 'node:assert/strict'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { HeddleError } from '../../core/fail.ts'
import type { IngestionJob } from '../../platform/ingestion.ts'
import { createFileReader } from './read-source.ts'

let base = ''
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'heddle-source-'))
  await writeFile(join(base, 'planes.csv'), '\uFEFFtailnum,"year"\r\nN1,2001\nN2,NA\n')
  await writeFile(join(base, 'empty.csv'), '')
  await writeFile(join(base, 'headless.csv'), 'no newline here')
  await writeFile(join(base, 'long.csv'), `${'a,'.repeat(40_000)}b\n1\n`)
  await symlink('/etc/hostname', join(base, 'leaving.csv'))
})
after(() => rm(base, { recursive: true, force: true }))

const columns = ['tailnum', 'year'].map((name) => ({ name, type: 'text' }))
const job = (path: string, more: Partial<IngestionJob> = {}): IngestionJob => ({
  component: 'load',
  source: { type: 'file', path, format: 'csv', delimiter: ',', null: 'NA', header: true },
  columns,
  ...more,
})
const open = (path: string, domain = 'fleet', more: Partial<IngestionJob> = {}) =>
  createFileReader({ sources: () => [{ name: 'nyc', path: base, domains: ['fleet'] }], domainOf: () => domain }).open(
    job(path, more),
    {
      signal: new AbortController().signal,
      log() {},
    },
  )

test('the header is taken off, rows, bytes and hash are the file’s own', async () => {
  const source = await open('nyc/planes.csv')
  const chunks: Buffer[] = []
  for await (const chunk of source.stream) chunks.push(chunk as Buffer)
  assert.equal(Buffer.concat(chunks).toString('utf8'), 'N1,2001\nN2,NA\n')
  assert.deepEqual(source.columns, ['tailnum', 'year'])
  assert.equal(source.bytes(), 33)
  assert.match(source.sha256(), /^[0-9a-f]{64}$/)
})

const refusals: [string, string, string, Partial<IngestionJob>?][] = [
  ['nyc/gone.csv', 'fleet', 'INGEST_SOURCE_UNREADABLE'],
  ['nyc/empty.csv', 'fleet', 'INGEST_SOURCE_UNREADABLE'],
  ['nyc/headless.csv', 'fleet', 'INGEST_SOURCE_UNREADABLE'],
  ['nyc/long.csv', 'fleet', 'INGEST_SOURCE_UNREADABLE'],
  ['nyc', 'fleet', 'INGEST_SOURCE_FORBIDDEN'],
  ['nyc/../secret.csv', 'fleet', 'INGEST_SOURCE_UNREADABLE'],
  ['nyc/leaving.csv', 'fleet', 'INGEST_SOURCE_FORBIDDEN'],
  ['nyc/planes.csv', 'weather', 'INGEST_SOURCE_FORBIDDEN'],
  ['other/planes.csv', 'fleet', 'INGEST_SOURCE_UNKNOWN'],
  ['nyc/planes.csv', 'fleet', 'INGEST_COLUMNS_CHANGED', { columns: columns.slice(0, 1) }],
]
for (const [path, domain, code, more] of refusals) {
  test(`${path} for ${domain}: ${code}`, async () => {
    await assert.rejects(open(path, domain, more), (error: HeddleError) => error.code === code)
  })
}
