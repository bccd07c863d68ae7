import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonForm, writePage } from './write-page.ts'

const facts = { next: null, publication: 3, asOf: '2026-01-01T00:00:00.000Z' }
const one = (type: string, text: string | null) =>
  JSON.parse(writePage([{ name: 'x', form: jsonForm(type) }], [[text]], facts)).items[0].x

test('values keep what they are: nothing is rounded, moved or made up', () => {
  for (const [type, text, value] of [
    ['integer', '-5', -5],
    ['bigint', '9007199254740993', '9007199254740993'],
    ['numeric', '0.10', '0.10'],
    ['numeric', 'NaN', 'NaN'],
    ['double precision', '0.1', 0.1],
    ['double precision', '1e+20', 1e20],
    ['double precision', 'NaN', 'NaN'],
    ['real', '-Infinity', '-Infinity'],
    ['boolean', 't', true],
    ['boolean', 'f', false],
    ['date', '2013-01-31', '2013-01-31'],
    ['timestamp with time zone', '2013-01-31 08:30:00.25+00', '2013-01-31T08:30:00.25Z'],
    ['timestamp without time zone', '2013-01-31 08:30:00', '2013-01-31T08:30:00'],
    ['timestamp with time zone', 'infinity', 'infinity'],
    ['timestamp with time zone', '0044-03-15 12:00:00+00 BC', '0044-03-15 12:00:00+00 BC'],
    ['text', '=1+1\n"\\', '=1+1\n"\\'],
    ['interval', 'P1D', 'P1D'],
    ['text', null, null],
    ['bigint', null, null],
  ] as const)
    assert.deepEqual(one(type, text), value, `${type} ${text}`)
  assert.deepEqual(one('jsonb', '{"a": [1, null]}'), { a: [1, null] })
})

test('columns keep their names and order, whatever they are called', () => {
  const text = writePage(
    [
      { name: '__proto__', form: 'string' },
      { name: 'a"b', form: 'number' },
    ],
    [
      ['x', '1'],
      ['y', '2'],
    ],
    { ...facts, next: 'n' },
  )
  assert.ok(text.includes('{"__proto__":"x","a\\"b":1}'))
  assert.equal(JSON.parse(text).next, 'n')
})
