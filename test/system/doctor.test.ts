import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDataDirectory } from '../../src/cli/data-directory.ts'
import { type Check, doctor } from '../../src/cli/doctor.ts'
import { markProcess } from '../../src/cli/process-mark.ts'
import { type RunFile, writeRunFile } from '../../src/cli/run-file.ts'
import { startTestPostgres } from '../postgres-server.ts'

let dataDir = ''

before(async () => {
  const home = await mkdtemp(join(tmpdir(), 'heddle-doctor-'))
  await chmod(home, 0o755)
  dataDir = join(home, 'data')
})

after(() => rm(join(dataDir, '..'), { recursive: true }))

async function look(): Promise<Record<string, Check['state']>> {
  return Object.fromEntries((await doctor(dataDir)).map((check) => [check.name, check.state]))
}

test('before the first start: says so, and fails nothing that start would make', async () => {
  const checks = await doctor(dataDir)
  const states = Object.fromEntries(checks.map((check) => [check.name, check.state]))
  assert.deepEqual([states['data directory'], states.database, states['control plane']], ['warn', 'warn', 'warn'])
  assert.deepEqual([states.node, states.git, states.python, states.clock], ['ok', 'ok', 'ok', 'ok'])
  assert.ok(checks.every((check) => check.state === 'ok' || check.fix))
})

test('finds the database and the control plane, and what is wrong with them', async () => {
  await openDataDirectory(dataDir)
  const postgres = await startTestPostgres()
  const http = createServer((_request, answer) => answer.end('ok'))
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const { port: listen } = http.address() as { port: number }
  const run: RunFile = {
    ...(await markProcess(process.pid))!,
    startedAt: new Date().toISOString(),
    version: '0.1.0',
    listen,
    url: `http://127.0.0.1:${listen}`,
    postgres: { port: postgres.port, pid: postgres.pid },
    children: [],
  }
  try {
    await writeRunFile(dataDir, run)
    const states = await look()
    assert.deepEqual([states['data directory'], states.database, states['control plane'], states.clock], ['ok', 'ok', 'ok', 'ok'])

    await chmod(join(dataDir, 'secrets.key'), 0o644)
    const future = new Date(Date.now() + 3_600_000).toISOString()
    await writeRunFile(dataDir, { ...run, startTicks: '1', startedAt: future, postgres: { port: listen, pid: 1 } })
    const wrong = await look()
    assert.deepEqual(
      [wrong['data directory'], wrong.database, wrong['control plane'], wrong.clock],
      ['fail', 'fail', 'fail', 'fail'],
    )
  } finally {
    http.close()
    await postgres.dispose()
  }
  await writeRunFile(dataDir, { ...run, listen: 1 })
  const stopped = await look()
  assert.deepEqual([stopped.database, stopped['control plane']], ['fail', 'fail'])
})
