import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../core/fail.ts'
import { candidates, type Names } from '../complete.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { VERBS } from '../verbs.ts'

const FRESH_MS = 60_000
const PATIENCE_MS = 80

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
  const names = await readNames(context).catch((): Names => ({ products: [], environments: [] }))
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
  const client = await context.client()
  const asked = client.products().then(
    ({ items }): Names => ({
      products: items.map(({ address }) => address),
      environments: kept?.environments ?? ['dev', 'prod'],
    }),
  )
  const names = await Promise.race([asked, new Promise<null>((resolve) => setTimeout(resolve, PATIENCE_MS, null).unref())])
  if (names === null) return kept ?? { products: [], environments: [] }
  if (file !== null)
    await writeFile(file, JSON.stringify({ at: context.io.now().getTime(), ...names }), { mode: 0o600 }).catch(() => undefined)
  return names
}
