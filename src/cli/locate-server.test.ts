import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { HeddleError } from '../core/fail.ts'
import { locateServer } from './locate-server.ts'

const NOBODY = 65_534

test("another user's data directory is named, not taken for one where nothing runs", async () => {
  const base = await mkdtemp(join(tmpdir(), 'heddle-locate-'))
  const data = join(base, 'data')
  await chmod(base, 0o755)
  await mkdir(data)
  await writeFile(join(data, 'run.json'), '{}', { mode: 0o600 })
  const asked = () =>
    locateServer({ data, env: {}, dir: base }).then(
      () => assert.fail('found'),
      (error: HeddleError) => error,
    )
  const isRoot = process.getuid!() === 0
  try {
    assert.match((await asked()).message, /No server is running/)
    await chmod(data, isRoot ? 0o700 : 0)
    // Root reads everything: it looks as somebody else for a moment.
    if (isRoot) process.seteuid!(NOBODY)
    const error = await asked().finally(() => isRoot && process.seteuid!(0))
    assert.equal(error.code, 'CLIENT_SERVER_UNREACHABLE')
    assert.ok(error.message.includes(`${data} belongs to another user`), error.message)
    assert.match(error.fix, /HEDDLE_URL and HEDDLE_TOKEN/)
  } finally {
    await chmod(data, 0o700)
    await rm(base, { recursive: true, force: true })
  }
})
