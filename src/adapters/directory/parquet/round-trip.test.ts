import assert from 'node:assert/strict'
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { ExportedColumn } from '../../../platform/warehouse.ts'
import { daysOf, microsOf, textOfDays, textOfMicros } from './calendar.ts'
import { type Fields, formatCsv, parseCsv } from './parse-csv.ts'
import { readTable } from './read-table.ts'
import { writeTable } from './write-table.ts'

let folder: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-parquet-'))
})
after(() => rm(folder, { recursive: true, force: true }))

async function* cut(text: string, at: readonly number[] = []): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  let from = 0
  for (const to of [...at, bytes.length].sort((a, b) => a - b)) {
    yield bytes.subarray(from, to)
    from = Math.min(to, bytes.length)
  }
}

async function parsed(text: string, at?: readonly number[]): Promise<Fields[]> {
  const found: Fields[] = []
  for await (const records of parseCsv(cut(text, at))) found.push(...records)
  return found
}

async function roundTrip(columns: ExportedColumn[], records: Fields[]): Promise<Fields[]> {
  const path = join(folder, 'table.parquet')
  const told = { rows: 0 }
  const parts: Buffer[] = []
  for await (const part of writeTable({ columns, csv: cut(records.map(formatCsv).join('')) }, told)) parts.push(part)
  assert.equal(told.rows, records.length)
  await writeFile(path, Buffer.concat(parts))
  const handle = await open(path)
  try {
    const read = { rows: 0 }
    let text = ''
    for await (const part of readTable(handle, read)) text += part
    assert.equal(read.rows, records.length)
    return await parsed(text)
  } finally {
    await handle.close()
  }
}

test('CSV of PostgreSQL: NULL is not the empty text, and a cut anywhere changes nothing', async () => {
  const text = '1,"a\n""ü"\n,""\n"",\n"\n",x\nlast,"€"'
  const expected = [
    ['1', 'a\n"ü'],
    [null, ''],
    ['', null],
    ['\n', 'x'],
    ['last', '€'],
  ]
  for (let at = 0; at <= Buffer.byteLength(text); at++) assert.deepEqual(await parsed(text, [at]), expected, `cut at ${at}`)
})

test('any texts come back from CSV as they went in', async () => {
  const field = fc.option(fc.string({ unit: fc.constantFrom('a', '"', ',', '\n', '\r', '\\', '.', 'é', '\u{feff}', '😀') }))
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(field, field), { maxLength: 20 }), async (records) => {
      assert.deepEqual(await parsed(records.map(formatCsv).join('')), records)
    }),
    { numRuns: 60 },
  )
})

test('days and microseconds come back as the text they were', () => {
  for (const text of [
    '1970-01-01',
    '2024-02-29',
    '1900-03-01',
    '0001-01-01',
    '0044-03-15 BC',
    '4713-01-01 BC',
    '5874897-12-31',
    'infinity',
    '-infinity',
  ])
    assert.equal(textOfDays(daysOf(text)), text)
  assert.equal(daysOf('1970-01-02'), 1)
  assert.equal(daysOf('2000-03-01'), Date.UTC(2000, 2, 1) / 86_400_000)
  for (const text of [
    '1970-01-01 00:00:00',
    '1969-12-31 23:59:59.999999',
    '294276-12-31 23:59:59.999999',
    '4713-11-24 00:00:00 BC',
    '2013-07-04 12:30:00.5',
    'infinity',
  ])
    assert.equal(textOfMicros(microsOf(text), false), text)
  assert.equal(textOfMicros(microsOf('2013-07-04 12:30:00.000001+00'), true), '2013-07-04 12:30:00.000001+00')
  assert.equal(microsOf('1969-12-31 23:59:59.999999'), -1n)
  fc.assert(fc.property(fc.integer({ min: -2_400_000, max: 100_000_000 }), (days) => daysOf(textOfDays(days)) === days))
})

const column = (type: string, required = false): ExportedColumn => ({ name: type.replaceAll(/\W+/g, '_'), type, required })

test('every type comes back from Parquet as the text that PostgreSQL gave', async () => {
  const values: Record<string, string[]> = {
    boolean: ['t', 'f'],
    smallint: ['-32768', '32767'],
    integer: ['-2147483648', '2147483647', '0'],
    bigint: ['-9223372036854775808', '9223372036854775807'],
    real: ['1.5', '-0', 'NaN', 'Infinity', '-Infinity', '0'],
    'double precision': ['0.1', '-0', 'NaN', '1e+300', '5e-324', '0'],
    'numeric(10,2)': ['0.00', '-0.05', '12345678.90', 'NaN', '-99999999.99'],
    'numeric(18,0)': ['999999999999999999', '-1'],
    'numeric(38,10)': ['1234567890123456789012345678.0123456789'],
    numeric: ['1e-3', '0.10', 'NaN', 'Infinity'],
    text: ['', 'NULL', '\u{feff}mark', 'a"b', 'line\nline', '😀', '\\.'],
    'character varying(20)': ['x', ''],
    date: ['2013-12-06', 'infinity', '-infinity', '0044-03-15 BC'],
    'timestamp without time zone': ['2013-12-06 23:59:59.999999', 'infinity', '0044-03-15 00:00:00 BC'],
    'timestamp with time zone': ['2013-12-06 23:59:59.1+00', '-infinity'],
    'time without time zone': ['12:00:00.000001', '24:00:00'],
    interval: ['P1Y2M3DT4H5M6.7S'],
    uuid: ['0190a0a0-1111-7222-8333-123456789abc'],
    json: ['{"a" : 1.0}', '[]'],
    jsonb: ['{"a": 1.0, "b": "é"}', 'null'],
    bytea: ['\\x', '\\x00ff'],
    'integer[]': ['{1,NULL,3}', '{}'],
  }
  const columns = Object.keys(values).map((type) => column(type))
  const rows = Math.max(...Object.values(values).map(({ length }) => length)) + 1
  const records = Array.from({ length: rows }, (_, row) => columns.map(({ type }) => values[type]![row] ?? null))
  assert.deepEqual(await roundTrip(columns, records), records)
})

test('no rows, required columns, and more rows than one group', async () => {
  assert.deepEqual(await roundTrip([column('integer', true)], []), [])
  const many = Array.from({ length: 120_001 }, (_, row): Fields => [String(row), row % 7 === 0 ? null : `text ${row % 100}`])
  assert.deepEqual(await roundTrip([column('bigint', true), column('text')], many), many)
})
