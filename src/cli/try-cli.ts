import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable, Writable } from 'node:stream'
import { type ApiDouble, type Handler, startApiDouble } from '../client/api-double.ts'
import type { CliIo } from './io.ts'
import { runCli } from './run.ts'

/** For tests only: the whole command line in this process, against a server that answers with prepared bodies. */
type Tried = { code: number; out: string; err: string; json: () => Record<string, unknown>[] }
type Bench = {
  folder: string
  double: ApiDouble
  /** runs `heddle …` in the bench's folder */
  heddle(line: readonly string[], more?: Partial<CliIo> & { input?: string }): Promise<Tried>
  interrupt(): void
}

/** A folder with a data directory whose server is the double; removed afterwards. */
export async function withBench(routes: Record<string, Handler>, body: (bench: Bench) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'heddle-cli-'))
  const double = await startApiDouble(routes)
  const handlers = new Set<() => void>()
  try {
    const data = join(folder, 'heddle-data')
    await mkdir(join(data, 'work'), { recursive: true })
    const run = {
      pid: process.pid,
      startTicks: '',
      startedAt: '',
      version: '0.1.0',
      listen: 1,
      url: double.url,
      postgres: { port: 1, pid: 1 },
      children: [],
    }
    await writeFile(join(data, 'run.json'), JSON.stringify(run))
    await writeFile(join(data, 'cli-token'), 'hdl_token\n')
    await body({
      folder,
      double,
      interrupt: () => {
        for (const handler of handlers) handler()
      },
      async heddle(line, { input, ...more } = {}) {
        const out = collect()
        const err = collect()
        const code = await runCli(line, {
          env: { PATH: '/usr/local/bin:/usr/bin:/bin', TZ: 'UTC' },
          stdin: input === undefined ? new PassThrough() : Readable.from([Buffer.from(input)]),
          stdout: out.stream,
          stderr: err.stream,
          cwd: folder,
          isTty: { stdin: input === undefined, stdout: false, stderr: false },
          columns: undefined,
          version: '0.1.0',
          now: () => new Date('2026-03-01T13:17:00.000Z'),
          onInterrupt(handler) {
            handlers.add(handler)
            return () => handlers.delete(handler)
          },
          check: true,
          ...more,
        })
        const json = () =>
          out
            .text()
            .trimEnd()
            .split('\n')
            .map((text) => JSON.parse(text) as Record<string, unknown>)
        return { code, out: out.text(), err: err.text(), json }
      },
    })
  } finally {
    await double.close()
    await rm(folder, { recursive: true, force: true })
  }
}

function collect() {
  const chunks: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk.toString('utf8'))
      done()
    },
  })
  return { stream, text: () => chunks.join('') }
}
