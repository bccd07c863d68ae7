import { wrap } from './style.ts'

type HelpVerb = {
  path: string
  group: string
  args: readonly string[]
  text: string
  examples: readonly string[]
  options?: readonly HelpOption[]
  hidden?: true
}
type HelpOption = { flags: string; text: string; choices?: readonly string[]; required?: true }

const FIRST_EXAMPLES = ['heddle new orders --domain sales', 'heddle status', 'heddle logs --failed']

/** Three examples first, then every verb by what it is for. */
export function renderTopHelp(verbs: readonly HelpVerb[], width: number): string[] {
  const shown = verbs.filter((verb) => !verb.hidden)
  const column = Math.max(...shown.map(({ path }) => path.length)) + 2
  const groups = [...new Set(shown.map(({ group }) => group))]
  return [
    ...FIRST_EXAMPLES.map((example) => `    ${example}`),
    '',
    'heddle VERB [arguments] [flags]      flags of every verb and of one: heddle VERB --help',
    ...groups.flatMap((group) => [
      '',
      group,
      ...rows(
        shown.filter((verb) => verb.group === group).map(({ path, text }) => [path, text] as const),
        column,
        width,
      ),
    ]),
  ]
}

export function renderGroupHelp(noun: string, verbs: readonly HelpVerb[], width: number): string[] {
  const own = verbs.filter(({ path }) => path.startsWith(`${noun} `))
  const column = Math.max(...own.map(({ path }) => path.length)) + 2
  return [
    ...own
      .flatMap(({ examples }) => examples.slice(0, 1))
      .slice(0, 3)
      .map((example) => `    ${example}`),
    '',
    ...rows(
      own.map(({ path, text }) => [path, text] as const),
      column,
      width,
    ),
  ]
}

export function renderVerbHelp(verb: HelpVerb, globals: readonly HelpOption[], width: number): string[] {
  const options = verb.options ?? []
  const column = Math.max(...[...options, ...globals].map(({ flags }) => flags.length)) + 2
  return [
    ...verb.examples.map((example) => `    ${example}`),
    '',
    ...wrap(verb.text, width),
    '',
    `heddle ${[verb.path, ...verb.args].join(' ')}${options.length > 0 ? ' [flags]' : ''}`,
    ...(options.length > 0 ? ['', 'Flags', ...rows(options.map(describe), column, width)] : []),
    '',
    'Flags of every verb',
    ...rows(globals.map(describe), column, width),
  ]
}

function describe({ flags, text, choices, required }: HelpOption) {
  return [flags, `${text}${choices ? `: ${choices.join(', ')}` : ''}${required ? ' (required)' : ''}`] as const
}

function rows(entries: readonly (readonly [string, string])[], column: number, width: number): string[] {
  return entries.flatMap(([name, text]) =>
    wrap(text, Math.max(width - column - 2, 20)).map((line, at) => `  ${(at === 0 ? name : '').padEnd(column)}${line}`.trimEnd()),
  )
}
