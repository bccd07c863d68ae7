import { GLOBAL_OPTIONS, type Verb, type VerbOption } from './verb.ts'

export type Names = { products: readonly string[]; environments: readonly string[] }

/** What may stand in the place of the last word; pure, so that each shell's script only asks and filters nothing. */
export function candidates(words: readonly string[], verbs: readonly Verb[], names: Names): string[] {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const shown = verbs.filter((verb) => !verb.hidden)
  const plain = plainWords(before, shown)
  const verb = shown.find(({ path }) => path === plain.slice(0, path.split(' ').length).join(' '))
  const options = [...(verb?.options ?? []), ...GLOBAL_OPTIONS]
  const waiting = options.find((option) => takesValue(option) && long(option).includes(before.at(-1) ?? ''))
  if (waiting) return startingWith(current, waiting.flags.includes('--env') ? names.environments : (waiting.choices ?? []))
  if (current.startsWith('-'))
    return startingWith(
      current,
      options.flatMap(long).filter((flag) => flag.startsWith('--')),
    )
  if (!verb) return startingWith(current, nextWords(plain, shown))
  const argument = verb.args[Math.min(plain.length - verb.path.split(' ').length, verb.args.length - 1)] ?? ''
  if (argument.includes('product')) return startingWith(current, names.products)
  if (argument.includes('what')) return startingWith(current, ['products', 'domains', 'subjects'])
  if (argument.includes('shell')) return startingWith(current, ['bash', 'zsh', 'fish'])
  return []
}

function startingWith(current: string, all: readonly string[]): string[] {
  return [...new Set(all)].filter((each) => each.startsWith(current)).sort()
}

function nextWords(plain: readonly string[], verbs: readonly Verb[]): string[] {
  const prefix = plain.map((word) => `${word} `).join('')
  return verbs.filter(({ path }) => path.startsWith(prefix)).map(({ path }) => path.slice(prefix.length).split(' ')[0]!)
}

/** The words that are neither flags nor values of flags. */
function plainWords(words: readonly string[], verbs: readonly Verb[]): string[] {
  const valued = new Set([...GLOBAL_OPTIONS, ...verbs.flatMap((verb) => verb.options ?? [])].filter(takesValue).flatMap(long))
  return words.filter((word, at) => !word.startsWith('-') && !valued.has(words[at - 1] ?? ''))
}

function takesValue({ flags }: VerbOption): boolean {
  return flags.includes('<')
}

function long({ flags }: VerbOption): string[] {
  return flags.split(/[ ,]+/).filter((part) => part.startsWith('-'))
}
