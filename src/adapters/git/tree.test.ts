import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TreeFile } from '../../platform/repository.ts'
import { findUnsafeFiles } from './tree.ts'

const file = (path: string, more: Partial<TreeFile> = {}): TreeFile => ({ path, mode: '100644', size: 1, oid: '0', ...more })
const codes = (...files: TreeFile[]) => findUnsafeFiles(files, { files: 3, fileBytes: 10, bytes: 20 }).map(({ code }) => code)

test('plain files are safe', () => {
  assert.deepEqual(codes(file('a'), file('dir/a'), file('dir/.gitignore', { mode: '100755' })), [])
  assert.deepEqual(codes(file('über straße/ä.sql'), file('con'), file('..a/...')), [])
})

test('paths that leave, hide or collide', () => {
  const unsafe = [
    '../a',
    'a/../b',
    './a',
    '/a',
    'a//b',
    'a/',
    '',
    '.git/x',
    '.GIT',
    'a/.Git/x',
    'git~1/x',
    '.git ',
    '.git::$INDEX_ALLOCATION',
  ]
  const hidden = ['a\\b', 'a\nb', 'a\u0000b', 'a\u202eb', '.g\u200cit', 'a\ufffd']
  const long = ['x'.repeat(256), `${'x'.repeat(200)}/`.repeat(6)]
  for (const path of [...unsafe, ...hidden, ...long])
    assert.deepEqual(codes(file(path)), ['REPOSITORY_PATH_UNSAFE'], JSON.stringify(path))
})

test('names that are one where case or Unicode form is ignored', () => {
  const pairs = [
    ['A', 'a'],
    ['Models/x', 'models/y'],
    ['models', 'Models/x'],
    ['a/b', 'a'],
    ['a', 'a'],
    ['\u00e9', 'e\u0301'],
    ['stra\u00dfe', 'STRASSE'],
  ]
  for (const [one = '', two = ''] of pairs)
    assert.deepEqual(codes(file(one), file(two)), ['REPOSITORY_PATH_UNSAFE'], `${one} ${two}`)
})

test('links, submodules and sizes', () => {
  assert.deepEqual(codes(file('l', { mode: '120000' })), ['REPOSITORY_LINK_REFUSED'])
  assert.deepEqual(codes(file('m', { mode: '160000' })), ['REPOSITORY_LINK_REFUSED'])
  assert.deepEqual(codes(file('o', { mode: '100000' })), ['REPOSITORY_LINK_REFUSED'])
  assert.deepEqual(codes(file('b', { size: 11 })), ['REPOSITORY_TREE_TOO_LARGE'])
  assert.deepEqual(codes(file('a', { size: 10 }), file('b', { size: 10 }), file('c')), ['REPOSITORY_TREE_TOO_LARGE'])
  assert.deepEqual(codes(file('a'), file('b'), file('c'), file('d')), ['REPOSITORY_TREE_TOO_LARGE'])
})
