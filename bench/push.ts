import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import { makeProduct, ORDERS_SQL, startSmallMesh, writeFiles } from '../test/small-mesh.ts'
import { atMost, type Bench, figure, inTurns, median, percentile, ratio, timed } from './figures.ts'
import { servePlainGit } from './plain-git.ts'
import { descendants, reapedFaults } from './process-tree.ts'
import { countStatements } from './statements.ts'
import { untilSucceeded } from './until-succeeded.ts'

const ROUNDS = 9
const PRODUCT = 'shop/orders'

/** Each round pushes one commit that changes a model and one that changes nothing of the release, each to the platform and to plain git in turns. */
export const push: Bench = {
  name: 'push',
  about: 'git push → run started; push of unchanged content; both against plain git http-backend',
  async run(say) {
    const folder = await mkdtemp(join(tmpdir(), 'heddle-bench-'))
    const plain = await servePlainGit(folder)
    const platform = await startSmallMesh()
    try {
      await makeProduct(platform, PRODUCT, ['--template', 'orders'])
      const tree = await platform.clone(PRODUCT)
      const control = await platform.control()
      const warehouse = await platform.warehouse('prod')
      const [{ id }] = (await control.query<{ id: string }>('SELECT id FROM product')).rows as [{ id: string }]
      const forkServer = (await descendants(platform.pid())).find(({ name }) => name.startsWith('python'))!.pid
      await platform.git(['push', '--quiet', plain.url, 'HEAD:main'], tree)
      const [sent, written] = await Promise.all([countStatements(control), countStatements(warehouse)])

      const commit = async (files: Record<string, string>) => {
        await writeFiles(tree, files)
        await platform.git(['add', '--all'], tree)
        await platform.git(['commit', '--quiet', '--message', 'change'], tree)
      }
      const pushTo = async (remote: string) => {
        const { ms, value } = await timed(() => platform.git(['push', remote, 'HEAD:main'], tree))
        if (value.status !== 0) throw new Error(value.stderr)
        return { ms, text: value.stderr }
      }
      const times: Record<'changed' | 'changedPlain' | 'same' | 'samePlain' | 'started' | 'queued', number[]> = {
        changed: [],
        changedPlain: [],
        same: [],
        samePlain: [],
        started: [],
        queued: [],
      }
      const counts: Record<'changed' | 'same' | 'sameWritten', number[]> = { changed: [], same: [], sameWritten: [] }
      let children = 0
      for (let round = 0; round < ROUNDS; round++) {
        await commit({ 'dbt/models/orders.sql': `${ORDERS_SQL}-- ${round}\n` })
        await sent.take()
        let number = 0
        await inTurns(
          round,
          async () => {
            const { ms, text } = await pushTo('origin')
            const moved = (await stat(join(platform.data, `repos/${id}.git/refs/heads/main`))).mtimeMs
            number = Number(/\brun (\d+) /.exec(text)![1])
            const run = await runTimes(control, number)
            times.changed.push(ms)
            times.started.push(run.started - moved)
            times.queued.push(run.created - moved)
          },
          async () => void times.changedPlain.push((await pushTo(plain.url)).ms),
        )
        await untilSucceeded(control, number)
        counts.changed.push((await sent.take()).calls)

        await commit({ 'README.md': `# Orders, round ${round}\n` })
        await untilAcknowledged(warehouse)
        const before = await reapedFaults(forkServer)
        await Promise.all([sent.take(), written.take()])
        await inTurns(
          round,
          async () => {
            const { ms, text } = await pushTo('origin')
            if (!text.includes('Nothing to change')) throw new Error(`the platform did not say so:\n${text}`)
            times.same.push(ms)
          },
          async () => void times.samePlain.push((await pushTo(plain.url)).ms),
        )
        counts.same.push((await sent.take()).calls)
        counts.sameWritten.push((await written.take()).walRecords)
        if ((await reapedFaults(forkServer)) !== before) children++
      }
      const over = times.same.map((ms, round) => ms - times.samePlain[round]!)
      const notice = await timeNotices(control, await platform.control())
      say(`${ROUNDS} rounds, 4 pushes each`)
      return {
        rounds: ROUNDS,
        figures: {
          'ref moved → run started': figure(times.started, 'ms'),
          'ref moved → run stored': figure(times.queued, 'ms'),
          'bare NOTIFY → LISTEN': figure(notice, 'ms'),
          'push of a change': figure(times.changed, 'ms'),
          'the same to plain git': figure(times.changedPlain, 'ms'),
          'push of unchanged content': figure(times.same, 'ms'),
          'the same to plain git (unchanged)': figure(times.samePlain, 'ms'),
          'unchanged: over plain git': figure(over, 'ms'),
          'control statements of a push and its whole run': figure(counts.changed, 'statements'),
          'control statements of an unchanged push': figure(counts.same, 'statements'),
          'warehouse WAL records of an unchanged push': figure(counts.sameWritten, 'records'),
          'dbt processes of all unchanged pushes': figure([children], 'processes'),
        },
        ratios: {
          'push of a change ÷ plain git': ratio(times.changed, times.changedPlain),
          'push of unchanged content ÷ plain git': ratio(times.same, times.samePlain),
        },
        limits: [
          atMost('ref moved → run started, p50', median(times.started), 100, 'ms'),
          atMost('ref moved → run started, p99', percentile(times.started, 0.99), 250, 'ms'),
          atMost('unchanged push over the bare push, p50', median(over), 300, 'ms'),
          atMost('dbt processes of unchanged pushes', children, 0, 'processes'),
          atMost('warehouse writes of unchanged pushes', Math.max(...counts.sameWritten), 0, 'WAL records'),
        ],
        notes: [
          'The moment the ref moved is the time of its file; the kernel writes it to within one timer tick (≤ 10 ms), always too early, never too late.',
          'Pushes go one after another, each waiting for the run before, so none waits for a lane.',
          'Plain git neither asks who pushes (one request less), nor runs hooks, checks objects or flushes them to disk.',
        ],
      }
    } finally {
      await platform.dispose()
      await plain.close()
      await rm(folder, { recursive: true, force: true })
    }
  },
}

/** A push answers before its run is claimed, so this waits a little. */
async function runTimes(control: pg.Client, number: number): Promise<{ created: number; started: number }> {
  for (const end = Date.now() + 10_000; Date.now() < end; ) {
    const { rows } = await control.query<{ bench_created: string; bench_started: string | null }>(
      'SELECT extract(epoch FROM created_at) * 1000 AS bench_created, extract(epoch FROM started_at) * 1000 AS bench_started FROM run WHERE number = $1',
      [number],
    )
    if (rows[0]?.bench_started) return { created: Number(rows[0].bench_created), started: Number(rows[0].bench_started) }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  throw new Error(`run ${number} did not start`)
}

/** The event of the deploy before is acknowledged up to a second later, which is a write of its own. */
async function untilAcknowledged(warehouse: pg.Client): Promise<void> {
  const waiting = 'SELECT 1 FROM heddle.outbox WHERE acknowledged_at IS NULL'
  while ((await warehouse.query(waiting)).rowCount) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** The floor of every wake-up by the database. */
async function timeNotices(from: pg.Client, to: pg.Client): Promise<number[]> {
  await to.query('LISTEN bench')
  const times: number[] = []
  for (let i = 0; i < 50; i++) {
    const arrived = new Promise<void>((resolve) => to.once('notification', () => resolve()))
    const began = performance.now()
    await from.query(`NOTIFY bench, '${i}'`)
    await arrived
    times.push(performance.now() - began)
  }
  return times
}
