import type { Context } from './context.ts'

export type VerbOption = {
  /** as commander writes them: `--port <name>`, `-f, --follow` */
  flags: string
  text: string
  choices?: readonly string[]
  required?: true
}

/** One verb as data: what parsing, help and completion read. Its code is loaded only when it runs. */
export type Verb = {
  /** `deploy`, or noun and verb: `access request` */
  path: string
  group: 'Run Heddle' | 'Make and decide' | 'Write and deploy' | 'Look' | 'Share' | 'Govern' | 'More'
  args: readonly string[]
  text: string
  examples: readonly string[]
  options?: readonly VerbOption[]
  hidden?: true
  /** @returns what runs it; that returns the exit code */
  load(): Promise<(context: Context) => Promise<number>>
}

export const GLOBAL_OPTIONS: readonly VerbOption[] = [
  { flags: '--json', text: 'one JSON object on stdout; a stream is one object a line, the last of type "result"' },
  { flags: '--as <user>', text: 'act as a sample user' },
  { flags: '--env <name>', text: 'environment (default: HEDDLE_ENV, then `environment` of .heddle.yml)' },
  { flags: '-C, --directory <dir>', text: 'run as if started in this folder' },
  { flags: '--data <dir>', text: 'data directory of the server (default: HEDDLE_DATA, then the nearest heddle-data)' },
  { flags: '--yes', text: 'answer every question with yes; the plan is still printed' },
  { flags: '--dry-run', text: 'say what would happen, change nothing' },
  { flags: '--wait', text: 'follow to the end, through approvals' },
  { flags: '--no-wait', text: 'return as soon as the work is accepted' },
  { flags: '--timeout <duration>', text: 'stop following after this long (10m); the work goes on, exit 6' },
  { flags: '-q, --quiet', text: 'no progress' },
  { flags: '--no-color', text: 'no colour (also NO_COLOR, TERM=dumb)' },
  { flags: '--no-input', text: 'never ask' },
  { flags: '--utc', text: 'times in UTC' },
]
