import type { Client } from '../client/client.ts'
import type { CliIo } from './io.ts'
import type { Server } from './locate-server.ts'
import type { Style } from './views/human/style.ts'

/** The flags that every verb has. */
export type Flags = {
  json: boolean
  as: string | undefined
  env: string | undefined
  data: string | undefined
  yes: boolean
  dryRun: boolean
  /** undefined: the verb's own habit */
  wait: boolean | undefined
  timeoutMs: number | undefined
  quiet: boolean
  colour: boolean
  input: boolean
  utc: boolean
}

/** What one verb is given. */
export type Context = {
  io: CliIo
  /** where the verb works: `-C`, else the current folder */
  dir: string
  args: readonly (string | undefined)[]
  option(name: string): string | undefined
  has(name: string): boolean
  flags: Flags
  /** of stdout; `progressStyle` of stderr */
  style(): Style
  progressStyle(): Style
  server(): Promise<Server>
  client(): Promise<Client>
  /** `domain/product` from the argument, else of the repository the folder is in. @throws CLI_PRODUCT_MISSING, CORE_ADDRESS_INVALID */
  product(argument: string | undefined): Promise<string>
  /** undefined: the server's own choice */
  environment(): Promise<string | undefined>
  /** The result: one JSON object with `--json`, else the human lines. Called at most once. */
  print(value: Record<string, unknown>, human: (style: Style) => readonly string[]): void
  /** One object of a JSON stream; nothing without `--json`. */
  stream(value: Record<string, unknown>): void
  /** Progress, on stderr: nothing with `--json` or `--quiet`. */
  note(human: (style: Style) => readonly string[]): void
}
