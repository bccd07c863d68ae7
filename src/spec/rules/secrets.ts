import type { Diagnostic } from '../../core/diagnostic.ts'
import { type Located, pointerOf, positionAt, positionOf, valueAt } from '../located.ts'
import { didYouMean } from '../nearest.ts'
import { record, text } from '../plain.ts'
import { errorAt, type Rule, type RuleInput } from './rule.ts'

/** Found in the text itself, comments included. Each is one linear expression. */
const LITERALS: { kind: string; pattern: RegExp }[] = [
  { kind: 'a private key', pattern: /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/g },
  { kind: 'a password in an address', pattern: /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/?#:@"'<>$]{1,100}:[^\s/?#@"'<>$]{1,200}@/gi },
  { kind: 'a password', pattern: /\b(?:password|passwd|pwd|pass)\s?=\s?[^\s,;&"'}$]{3,}/gi },
  {
    kind: 'a token',
    pattern: /\b(?:token|api[_-]?key|secret[_-]?key|access[_-]?key|client[_-]?secret)\s?=\s?[^\s,;&"'}$]{6,}/gi,
  },
  { kind: 'an access key', pattern: /\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/g },
  {
    kind: 'a token',
    pattern:
      /\b(?:gh[pousr]_[A-Za-z0-9]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[abprs]-[A-Za-z0-9-]{10,}|sk_live_[A-Za-z0-9]{10,}|npm_[A-Za-z0-9]{30,}|eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,})/g,
  },
]
const SECRET_KEY =
  /^(password|passwd|pwd|secret|secret_?key|token|api_?key|access_?key|private_?key|client_?secret|connection_?string|credentials?)$/i

/** SEC05: no secret in a file, and every secret that is named has an entry. The value is never repeated in the message. */
export const secretRules: Rule = {
  ids: ['SEC05'],
  check(input) {
    const documents = [input.document, ...(input.deploy ? [input.deploy] : []), ...input.contracts.values()]
    return [...documents.flatMap(literalsIn), ...documents.flatMap(secretKeysIn), ...undeclared(input)]
  },
}

function literalsIn(document: Located): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const { kind, pattern } of LITERALS)
    for (const match of document.source.text.matchAll(pattern)) {
      found.push(
        said(positionOf(document.source, [match.index, match.index + match[0].length]), `The file holds what looks like ${kind}`),
      )
      if (found.length >= 20) return found
    }
  return found
}

function said(at: Diagnostic['at'], what: string): Diagnostic {
  return errorAt('SPEC_SECRET_LITERAL', at, {
    what,
    why: 'everybody who can read the repository, now or later, can use it',
    fix: 'Change the secret, store it with heddle secret set NAME, and write secretRef: {name: NAME}.',
  })
}

function secretKeysIn(document: Located): Diagnostic[] {
  const found: Diagnostic[] = []
  walk(document.value, '', (key, value, pointer) => {
    if (SECRET_KEY.test(key) && typeof value === 'string' && value !== '')
      found.push(said(positionAt(document, pointer, 'key'), `The key ${key} holds a value`))
  })
  return found
}

function undeclared(input: RuleInput): Diagnostic[] {
  const declared = input.deploy ? Object.keys(record(valueAt(input.deploy, ['secrets']))) : []
  const found: Diagnostic[] = []
  walk(input.document.value, '', (key, value, pointer) => {
    if (key !== 'secretRef' && key !== 'urlSecretRef') return
    const name = text(record(value).name)
    if (name === '' || declared.includes(name)) return
    found.push(
      errorAt('SPEC_SECRET_UNDECLARED', positionAt(input.document, `${pointer}/name`), {
        what: `The secret ${name.slice(0, 63)} has no entry in data_product_deploy.yml`,
        why: 'nothing says where its value is',
        fix: didYouMean(name, declared) ?? `Add under secrets: ${name}: {provider: heddle, name: ${name}}`,
      }),
    )
  })
  return found
}

function walk(value: unknown, pointer: string, visit: (key: string, value: unknown, pointer: string) => void): void {
  if (value === null || typeof value !== 'object') return
  for (const [key, inner] of Object.entries(value)) {
    const here = pointer + pointerOf([key])
    visit(key, inner, here)
    walk(inner, here, visit)
  }
}
