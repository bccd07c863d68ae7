import { Command, CommanderError, Option } from 'commander'
import { fail } from '../core/fail.ts'
import { GLOBAL_OPTIONS, type Verb, type VerbOption } from './verb.ts'
import { renderGroupHelp, renderTopHelp, renderVerbHelp } from './views/human/help.ts'

type Parsed =
  | { kind: 'help'; lines: readonly string[] }
  | {
      kind: 'verb'
      verb: Verb
      args: readonly (string | undefined)[]
      options: Record<string, unknown>
      globals: Record<string, unknown>
    }

/** Reads a command line against the table of verbs. @throws CLI_USAGE_INVALID with the nearest verb or flag */
export function parseArguments(argv: readonly string[], verbs: readonly Verb[], width: number): Parsed {
  let parsed: Parsed | undefined
  let help: readonly string[] = renderTopHelp(verbs, width)
  const program = quiet(new Command('heddle'))
  for (const option of GLOBAL_OPTIONS) program.addOption(toOption(option))
  program.configureHelp({ formatHelp: () => showHelp(renderTopHelp(verbs, width)) })

  for (const noun of new Set(verbs.filter(({ path }) => path.includes(' ')).map(({ path }) => path.split(' ')[0]!)))
    quiet(program.command(noun)).configureHelp({ formatHelp: () => showHelp(renderGroupHelp(noun, verbs, width)) })
  for (const verb of verbs) {
    const [first, second] = verb.path.split(' ')
    const parent = second === undefined ? program : program.commands.find((command) => command.name() === first)!
    const command = quiet(parent.command(second ?? first!)).configureHelp({
      formatHelp: () => showHelp(renderVerbHelp(verb, GLOBAL_OPTIONS, width)),
    })
    for (const argument of verb.args) command.argument(argument)
    for (const option of verb.options ?? []) command.addOption(toOption(option))
    command.action(() => {
      parsed = {
        kind: 'verb',
        verb,
        args: command.processedArgs.flat() as string[],
        options: command.opts(),
        globals: program.opts(),
      }
    })
  }

  function showHelp(lines: readonly string[]): string {
    help = lines
    return ''
  }

  try {
    program.parse([...argv], { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.code === 'commander.help' || error.code === 'commander.helpDisplayed') return { kind: 'help', lines: help }
    throw usageError(error)
  }
  return parsed ?? { kind: 'help', lines: help }
}

function usageError({ message }: CommanderError) {
  const [what = '', hint] = message.replace(/^error: /, '').split('\n')
  const nearest = hint === undefined ? undefined : /Did you mean (?:one of )?(.+)\?/.exec(hint)?.[1]
  return fail('CLI_USAGE_INVALID', { what, ...(nearest !== undefined && { fix: `Did you mean ${nearest}?` }) })
}

/** Commander throws instead of ending the process and writes nothing itself. */
function quiet(command: Command): Command {
  return command.exitOverride().configureOutput({ writeOut: () => undefined, writeErr: () => undefined })
}

function toOption({ flags, text, choices, required }: VerbOption): Option {
  const option = new Option(flags, text).makeOptionMandatory(required === true)
  return choices ? option.choices(choices) : option
}
