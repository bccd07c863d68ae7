import type { Readable, Writable } from 'node:stream'
import type { DataDirectory } from './data-directory.ts'

/** All that the command line sees of its process; `src/main.ts` makes it from the real one, tests from strings. */
export type CliIo = {
  env: Record<string, string | undefined>
  stdin: Readable
  stdout: Writable
  stderr: Writable
  cwd: string
  isTty: { stdin: boolean; stdout: boolean; stderr: boolean }
  /** of the terminal; undefined off a terminal */
  columns: number | undefined
  version: string
  now(): Date
  /** Calls the handler on Ctrl-C instead of ending the process, until the returned function is called. */
  onInterrupt(handler: () => void): () => void
  /** parse every answer of the server with its schema (tests and development) */
  check?: boolean
  /** starts this program once more, beside us and silent; it outlives us */
  background?: (args: readonly string[]) => void
  /** what `heddle start` starts; the parts are known to the composition root alone */
  startPlatform?: (request: StartRequest) => Promise<StartedPlatform>
}

export type StartRequest = {
  data: DataDirectory
  /** HTTP number, 0 for any free one */
  listen: number
  sample: boolean
  up(part: string, ms: number, detail: string): void
  log(line: string): void
}

export type StartedPlatform = {
  url: string
  listen: number
  postgres: { port: number; pid: number }
  /** processes of its own besides the database, when they all stand */
  children: Promise<number[]>
  /** what had to be repaired or resumed, in words */
  did: string[]
  seed(say: (line: string) => void): Promise<void>
  /** lets the sample's past arrive behind everything else; returns when it is there or the signal says so. `say` gets a line now and then */
  replay(say: (line: string) => void, signal: AbortSignal): Promise<void>
  /** an address that logs the browser in once, within 10 minutes */
  onceUrl(): Promise<string>
  stop(): Promise<void>
}
