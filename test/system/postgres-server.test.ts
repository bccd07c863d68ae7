import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { inspectHolder } from '../../src/adapters/postgres/server/process.ts'
import { findAccount, runAs } from '../../src/adapters/postgres/server/runtime.ts'
import { type PostgresServer, startPostgresServer } from '../../src/adapters/postgres/server.ts'

let dataDir = ''
const started: PostgresServer[] = []
const helpers: ChildProcess[] = []

/** Recovery is proven with fsync on, as in real use. */
async function start(): Promise<PostgresServer> {
  const server = await startPostgresServer({ dataDir, log: () => undefined, sharedBuffersMb: 16 })
  started.push(server)
  return server
}

async function query(server: PostgresServer, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ host: server.host, port: server.port, ...server.superuser, database: 'postgres' })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** Another process starts the server and then does nothing: the control plane that will be killed. */
async function startElsewhere(): Promise<{ parent: ChildProcess; pid: number; port: number }> {
  const program = `
    import { startPostgresServer } from ${JSON.stringify(import.meta.resolve('../../src/adapters/postgres/server.ts'))}
    const server = await startPostgresServer({ dataDir: ${JSON.stringify(dataDir)}, log: () => undefined, sharedBuffersMb: 16 })
    console.log(JSON.stringify({ pid: server.pid, port: server.port }))
    setInterval(() => undefined, 1000)`
  const parent = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  helpers.push(parent)
  const [line] = await once(parent.stdout!, 'data')
  return { parent, ...(JSON.parse(String(line)) as { pid: number; port: number }) }
}

async function killNow(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  await once(child, 'exit')
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (await condition()) return
    await sleep(50)
  }
  assert.fail('did not happen within 10 s')
}

before(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'heddle-server-'))
})

after(async () => {
  for (const server of started) await server.stop()
  for (const helper of helpers) helper.kill('SIGKILL')
  await rm(dataDir, { recursive: true, force: true })
})

describe('the embedded database server', { concurrency: false }, () => {
  test('starts from nothing, on loopback, with a password, and keeps no row values in its log', async () => {
    const server = await start()
    assert.match(server.did.join('\n'), /made the database cluster/)
    const [row] = await query(server, `select current_setting('listen_addresses') as listen, current_setting('jit') as jit`)
    assert.deepEqual(row, { listen: '127.0.0.1', jit: 'off' })
    await query(server, 'create extension pg_stat_statements; create table kept (id int primary key)')
    await query(server, 'insert into kept values (4711)')
    await assert.rejects(query(server, 'insert into kept values (4711)'), /duplicate key/)
    await assert.rejects(query(server, `select 'top-secret'::int`), /invalid input syntax/)
    const stranger = { ...server, port: server.port, superuser: { user: 'postgres', password: 'wrong' } }
    await assert.rejects(query(stranger as PostgresServer, 'select 1'), /password authentication failed/)
    const log = await readFile(join(dataDir, 'logs/postgres.log'), 'utf8')
    assert.match(log, /ready to accept connections/)
    assert.doesNotMatch(log, /4711|top-secret/)
    assert.equal((await stat(join(dataDir, 'postgres'))).mode & 0o777, 0o700)
    assert.equal((await stat(join(dataDir, 'postgres.json'))).mode & 0o777, 0o600)
  })

  test('a second start in order keeps listen number and data and repairs nothing', async () => {
    const first = started.at(-1)!
    await first.stop()
    assert.equal(await inspectHolder(first.pid, join(dataDir, 'postgres')), 'gone')
    const second = await start()
    assert.deepEqual([second.port, second.superuser.password, second.did], [first.port, first.superuser.password, []])
    assert.deepEqual(await query(second, 'select id from kept'), [{ id: 4711 }])
    await second.stop()
  })

  test('another program on the kept listen number: chooses another and says so', async () => {
    const kept = started.at(-1)!.port
    const stranger = createServer().listen(kept, '127.0.0.1')
    await once(stranger, 'listening')
    const server = await start()
    assert.notEqual(server.port, kept)
    assert.match(server.did.join('\n'), new RegExp(`listen number ${kept} is taken`))
    stranger.close()
    await server.stop()
  })

  test('kill -9 of the control plane: the running server is adopted, not started again', async () => {
    const orphan = await startElsewhere()
    await killNow(orphan.parent)
    const server = await start()
    assert.deepEqual([server.pid, server.port], [orphan.pid, orphan.port])
    assert.match(server.did.join('\n'), /adopted the database server/)
    await server.stop()
    assert.notEqual(await inspectHolder(orphan.pid, join(dataDir, 'postgres')), 'ours')
  })

  test('kill -9 of control plane and server under a busy query: recovers what was committed, ends what was left', async () => {
    const orphan = await startElsewhere()
    const there = { ...started.at(-1)!, host: '127.0.0.1' as const, port: orphan.port }
    await query(there, 'insert into kept values (1)')
    await killNow(orphan.parent)
    // A query that waits for nothing does not notice that its server is gone.
    const busy = query(there, 'select count(*) from generate_series(1, 100000000000) a').catch(() => 'ended')
    await waitFor(async () => (await query(there, `select 1 from pg_stat_activity where query like '%100000000000%'`)).length > 1)
    process.kill(orphan.pid, 'SIGKILL')
    const server = await start()
    assert.match(server.did.join('\n'), /recovering/)
    assert.match(server.did.join('\n'), /ended \d+ leftover/)
    assert.equal(await busy, 'ended')
    assert.deepEqual(await query(server, 'select id from kept order by id'), [{ id: 1 }, { id: 4711 }])
    await server.stop()
  })

  test('kill -9 of the server alone: it is started again on the same number', async () => {
    const server = await start()
    const { pid, port } = server
    process.kill(pid, 'SIGKILL')
    await waitFor(async () => server.pid !== pid)
    assert.equal(server.port, port)
    await waitFor(async () => server.did.some((line) => /started the database server again/.test(line)))
    assert.deepEqual(await query(server, 'select count(*)::int as n from kept'), [{ n: 2 }])
    await server.stop()
  })

  test('a stale postmaster.pid with the number of a living program of the same user', async () => {
    const { account } = await findAccount()
    const bystander = spawn('sleep', ['300'], { ...runAs(account), cwd: '/' })
    helpers.push(bystander)
    const server = await startOver(bystander.pid!)
    assert.match(server.did.join('\n'), /is another program by now/)
    assert.equal(bystander.exitCode, null)
    await server.stop()
  })

  test('a postmaster.pid with the number of a process that is dead but not reaped', { skip: notLinux() }, async () => {
    const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 300'], { stdio: ['ignore', 'pipe', 'ignore'] })
    helpers.push(parent)
    const [line] = await once(parent.stdout!, 'data')
    const zombie = Number(line)
    await waitFor(async () => /\) Z /.test(await readFile(`/proc/${zombie}/stat`, 'utf8')))
    const server = await startOver(zombie)
    assert.match(server.did.join('\n'), /dead and not yet reaped/)
    await server.stop()
  })

  /** Starts on a cluster whose lock names this process. */
  async function startOver(pid: number): Promise<PostgresServer> {
    const cluster = join(dataDir, 'postgres')
    await writeFile(join(cluster, 'postmaster.pid'), `${pid}\n${cluster}\n1700000000\n5432\n\n127.0.0.1\n\nready   \n`)
    return start()
  }

  test('a lost postgres.json: a new superuser password is set, the data stays', async () => {
    await rm(join(dataDir, 'postgres.json'))
    const server = await start()
    assert.match(server.did.join('\n'), /replaced the lost superuser password/)
    assert.deepEqual(await query(server, 'select count(*)::int as n from kept'), [{ n: 2 }])
    await server.stop()
  })

  test('a cluster half made by a killed initdb is made anew', async () => {
    const other = await mkdtemp(join(tmpdir(), 'heddle-server-'))
    await mkdir(join(other, 'postgres.new'))
    await writeFile(join(other, 'postgres.new/PG_VERSION'), '18')
    const server = await startPostgresServer({ dataDir: other, log: () => undefined, sharedBuffersMb: 16, durable: false })
    started.push(server)
    assert.deepEqual(await query(server, 'select 1 as one'), [{ one: 1 }])
    await server.stop()
    assert.deepEqual((await readdir(other)).sort(), ['logs', 'postgres', 'postgres.json'])
    await rm(other, { recursive: true })
  })

  test('as root, a data directory below a closed folder is refused with a fix', { skip: notRoot() }, async () => {
    const closed = await mkdtemp(join(tmpdir(), 'heddle-server-'))
    await chmod(closed, 0o700)
    const attempt = startPostgresServer({ dataDir: join(closed, 'data'), log: () => undefined })
    await assert.rejects(attempt, { code: 'SERVER_DATA_UNREACHABLE' })
    await rm(closed, { recursive: true })
  })

  test('as root, the server runs as another user', { skip: notRoot() }, async () => {
    const server = await start()
    const owner = execFileSync('ps', ['-o', 'uid=', '-p', String(server.pid)])
      .toString()
      .trim()
    assert.notEqual(owner, '0')
    assert.match(await readlink(`/proc/${server.pid}/exe`), /native\/bin\/postgres$/)
    await server.stop()
  })
})

function notRoot(): string | false {
  return process.getuid?.() === 0 ? false : 'runs as an ordinary user here'
}

function notLinux(): string | false {
  return process.platform === 'linux' ? false : 'no /proc here'
}
