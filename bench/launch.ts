import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export const HEDDLE = join(import.meta.dirname, '../heddle')

export type Launched = {
  pid: number
  /** from the spawn to the line that says ready, in ms */
  readyMs: number
  /** ms of each part, as start itself reports them */
  parts: Record<string, number>
  url: string
  stop(): Promise<number>
}

type Line = { type: string; name?: string; ms?: number; state?: string; url?: string; message?: string }

/** `./heddle start` as a user types it. `onPid` is called at once, `stop` gives the ms that stopping took. */
export async function launch(data: string, more: string[], onPid: (pid: number) => void = () => {}): Promise<Launched> {
  const began = performance.now()
  const args = ['start', '--data', data, '--listen', '0', '--json', '--no-open', ...more]
  const child = spawn(HEDDLE, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  onPid(child.pid!)
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said = (said + chunk).slice(-2000)))
  const parts: Record<string, number> = {}
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`start ended with ${code}: ${said}`)))
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line = JSON.parse(text) as Line
      if (line.type === 'service') parts[line.name!] = line.ms!
      if (line.type === 'error') said += line.message
      if (line.type === 'result' && line.state === 'ready') resolve(line.url!)
    })
  })
  const readyMs = performance.now() - began
  return { pid: child.pid!, readyMs, parts, url, stop: () => end(child) }
}

async function end(child: ChildProcess): Promise<number> {
  const began = performance.now()
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  await gone
  return performance.now() - began
}
