import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../core/fail.ts'
import { candidates, type Names } from '../complete.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { VERBS } from '../verbs.ts'

const FRESH_MS = 60_000
/** A shell that waits longer than 100 ms is felt; counted from the start of the process, printing included. */
const PATIENCE_MS = 80
const LEAST_MS = 10

const SCRIPTS: Record<string, string> = {
  bash: `_heddle() {
  local IFS=$'\\n'
  COMPREPLY=($(heddle complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _heddle heddle`,
  zsh: `#compdef heddle
_heddle() {
  local -a found
  found=("\${(@f)$(heddle complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a found
}
compdef _heddle heddle`,
  fish: `complete -c heddle -f -a '(heddle complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'`,
}

export async function completion({ args, io }: Context): Promise<number> {
  const script = Object.hasOwn(SCRIPTS, args[0]!) ? SCRIPTS[args[0]!]! : null
  if (script === null)
    throw fail('CLI_USAGE_INVALID', {
      what: `There is no completion for "${args[0]}"`,
      fix: `One of ${Object.keys(SCRIPTS).join(', ')}.`,
    })
  io.stdout.write(`${script}\n`)
  return EXIT.ok
}

/** Answers a shell: never with an error, and without names when the server is away or slow. */
export async function complete(context: Context): Promise<number> {
  const words = context.args.map((word) => word ?? '')
  if (context.has('fill')) {
    await askNames(context).catch(() => undefined)
    return EXIT.ok
  }
  const none: Names = { products: [], environments: [] }
  const names = words.length > 1 ? await readNames(context).catch(() => none) : none
  const found = candidates(words, VERBS, names)
  if (found.length > 0) context.io.stdout.write(`${found.join('\n')}\n`)
  return EXIT.ok
}

/** Kept for a minute in the data directory, so that most key presses cost no call. */
async function readNames(context: Context): Promise<Names> {
  const { data } = await context.server()
  const file = data === null ? null : join(data, 'work', 'completion.json')
  const kept =
    file === null
      ? null
      : await readFile(file, 'utf8').then(
          (text) => JSON.parse(text) as Names & { at: number },
          () => null,
        )
  if (kept && context.io.now().getTime() - kept.at < FRESH_MS) return kept
  const { background } = context.io
  if (kept && background) {
    // Names of a minute ago now are better than those of now too late.
    background(['complete', '--fill'])
    return kept
  }
  const left = background ? Math.max(LEAST_MS, PATIENCE_MS - performance.now()) : PATIENCE_MS
  const late = new Promise<null>((resolve) => setTimeout(resolve, left, null).unref())
  const names = await Promise.race([askNames(context), late])
  if (names === null) background?.(['complete', '--fill'])
  return names ?? { products: [], environments: [] }
}

async function askNames(context: Context): Promise<Names> {
  const { data } = await context.server()
  const client = await context.client()
  const { items } = await client.products()
  const names: Names = { products: items.map(({ address }) => address), environments: ['dev', 'prod'] }
  const kept = JSON.stringify({ at: context.io.now().getTime(), ...names })
  if (data !== null) await writeFile(join(data, 'work', 'completion.json'), kept, { mode: 0o600 }).catch(() => undefined)
  return names
}
