import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { HeddleError } from '../core/fail.ts'
import { parseMesh } from './mesh.ts'

const root = join(import.meta.dirname, '../..')
const HEAD =
  'apiVersion: heddle.dev/v1alpha1\nkind: Mesh\nmetadata: {name: m}\nenvironments:\n  prod: {warehouse: {adapter: postgres}}\n'

test('the sample and the empty mesh parse', () => {
  const sample = parseMesh(readFileSync(join(root, 'examples/flights-mesh/mesh.yml'), 'utf8'), 'mesh.yml')
  assert.deepEqual(Object.keys(sample.environments), ['dev', 'prod'])
  assert.deepEqual(sample.domains.fleet!.budget, { connections: 8, statementMs: 30_000, tempFileBytes: 512 * 1024 * 1024 })
  parseMesh(readFileSync(join(root, 'src/empty-mesh.yml'), 'utf8'), 'mesh.yml')
})

test('an environment may ask for approval: four eyes unless it says otherwise', () => {
  const text = HEAD.replace('prod: {', 'prod: {approval: {by: [owner]}, ')
  assert.deepEqual(parseMesh(`${text}domains: {}\n`, 'mesh.yml').environments.prod!.approval, {
    by: ['owner'],
    required: 1,
    selfApproval: false,
  })
})

const broken: [string, string, number, number][] = [
  ['unknown key', `${HEAD}domains: {}\nextra: 1\n`, 1, 1],
  ['a domain without an owner', `${HEAD}domains:\n  fleet: {title: Fleet, owners: []}\n`, 7, 33],
  [
    'a budget that is no duration',
    `${HEAD}domains:\n  fleet: {title: F, owners: [a], budget: {connections: 1, statement: 30 sec, tempFiles: 1GB}}\n`,
    7,
    70,
  ],
  ['a duplicate key', `${HEAD}domains: {}\ndomains: {}\n`, 7, 1],
  ['an approval by nobody', HEAD.replace('prod: {', 'prod: {approval: {by: []}, '), 5, 25],
  ['an unknown adapter', HEAD.replace('postgres', 'oracle'), 5, 31],
]
for (const [name, text, line, column] of broken) {
  test(`mesh.yml with ${name} is refused at its place`, () => {
    assert.throws(
      () => parseMesh(text, 'mesh.yml'),
      (error: HeddleError) => {
        assert.equal(error.code, 'MESH_FILE_INVALID')
        assert.deepEqual([error.at!.line, error.at!.column], [line, column])
        return true
      },
    )
  })
}
