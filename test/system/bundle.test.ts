import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { createGitRepository, type GitRepository } from '../../src/adapters/git/repository.ts'
import type { HeddleError } from '../../src/core/fail.ts'

let base: string
let repository: GitRepository
const product = randomUUID()
before(async () => {
  base = await mkdtemp(join(tmpdir(), 'heddle-bundle-'))
  await chmod(base, 0o755)
  repository = createGitRepository({ root: join(base, 'repos'), hooksDir: join(base, 'hooks'), log: () => undefined })
  await repository.ensure({ product, files: { 'a.txt': 'one\n' }, author: { name: 'A', email: 'a@b' }, message: 'first' })
})
after(() => rm(base, { recursive: true, force: true }))

async function bundleOf(waitMs: number): Promise<Buffer> {
  let bytes = Buffer.alloc(0)
  await repository.bundle(product, async (stream) => {
    // a reader that comes after git has ended still gets everything
    await new Promise((resolve) => setTimeout(resolve, waitMs))
    bytes = Buffer.from(await buffer(stream))
  })
  return bytes
}

test('a bundle is whole however late it is read, and makes the same repository', async () => {
  const bytes = await bundleOf(500)
  assert.match(bytes.subarray(0, 20).toString('latin1'), /^# v\d git bundle/)
  const refs = await repository.refs(product)
  const open = async () => Readable.from([bytes])
  await repository.checkBundle({ product, refs, open })
  const again = randomUUID()
  assert.deepEqual(await repository.unbundle({ product: again, refs, open }), { created: true })
  assert.deepEqual(await repository.unbundle({ product: again, refs, open }), { created: false })
  assert.deepEqual(await repository.refs(again), refs)
  assert.equal((await repository.read(again, refs[0]!.commit, 'a.txt'))!.toString(), 'one\n')
})

test('an empty, cut or foreign bundle makes nothing', async () => {
  const bytes = await bundleOf(0)
  const refs = await repository.refs(product)
  for (const wrong of [Buffer.alloc(0), bytes.subarray(0, -30), Buffer.from('not a bundle')]) {
    const fresh = randomUUID()
    const request = { product: fresh, refs, open: async () => Readable.from([wrong]) }
    const damaged = (error: HeddleError) => error.code === 'REPOSITORY_DAMAGED'
    await assert.rejects(repository.checkBundle(request), damaged)
    await assert.rejects(repository.unbundle(request), damaged)
    assert.equal(await repository.exists(fresh), false)
  }
  const moved = [{ ref: 'refs/heads/main', commit: '0'.repeat(40) }]
  await assert.rejects(repository.checkBundle({ product: randomUUID(), refs: moved, open: async () => Readable.from([bytes]) }))
})
