import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { link, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { HeddleError } from '../../core/fail.ts'
import { readManifest } from './read-manifest.ts'

test('a manifest is read only when it is an ordinary file, whatever stands in its place', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-manifest-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = (name: string) => join(folder, name)
  await writeFile(path('good'), '{"nodes": {"model.p.a": {}}, "later": 1}')
  await writeFile(path('linked'), '{"nodes": {}}')
  await symlink(path('good'), path('symbolic'))
  await link(path('linked'), path('hard'))
  execFileSync('mkfifo', [path('pipe')])
  await writeFile(path('text'), 'secret of another file')
  await writeFile(path('other'), '[1]')
  assert.deepEqual(
    (await readManifest(path('good'))).nodes.map(({ uniqueId, resource, hooks }) => [uniqueId, resource, hooks]),
    [['model.p.a', 'model', 0]],
  )
  for (const name of ['symbolic', 'hard', 'pipe', 'text', 'other', 'absent', '.']) {
    await assert.rejects(readManifest(path(name)), (error: HeddleError) => {
      assert.equal(error.code, 'TRANSFORM_MANIFEST_UNREADABLE', name)
      return !`${error.message}${error.cause}`.includes('secret')
    })
  }
})
