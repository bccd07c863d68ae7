import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatVerdict, parseQuestion } from './hook-link.ts'

const [A, B, ZERO] = ['a'.repeat(40), 'b'.repeat(40), '0'.repeat(40)]

test('a question is read', () => {
  assert.deepEqual(
    parseQuestion([
      'pre-receive',
      'quarantine /q',
      'alternates /o',
      `ref ${ZERO} ${A} refs/heads/x`,
      `ref ${A} ${ZERO} refs/tags/y`,
    ]),
    {
      hook: 'pre-receive',
      refs: [
        { ref: 'refs/heads/x', old: null, new: A },
        { ref: 'refs/tags/y', old: A, new: null },
      ],
      quarantine: { objectDirectory: '/q', alternates: '/o' },
    },
  )
})

test('what cannot be read is refused, never taken for nothing', () => {
  const unreadable = [
    [],
    ['update', `ref ${A} ${B} refs/heads/x`],
    ['pre-receive', `ref ${A} ${B} HEAD`],
    ['pre-receive', `ref ${A} ${B} refs/heads/\ufffd`],
    ['pre-receive', 'ref '],
    ['pre-receive', 'something else'],
    ['pre-receive', ...Array.from({ length: 1_001 }, (_, n) => `ref ${A} ${B} refs/heads/${n}`)],
  ]
  for (const lines of unreadable) assert.ok('refused' in parseQuestion(lines), lines.slice(0, 2).join('|'))
})

test('lines reach the terminal as given, without what could control it', () => {
  assert.equal(formatVerdict({ accept: true, lines: [] }), 'exit 0\n')
  assert.equal(
    formatVerdict({ accept: false, lines: ['a\n  exit 0', '\u001b[31m\tred\u0007 ä'] }),
    '= a\n=   exit 0\n= [31m\tred ä\nexit 1\n',
  )
})
