import type { Diagnostic } from '../../core/diagnostic.ts'
import { rewriteOf } from '../edits.ts'
import { type Located, pointerOf, positionAt, valueAt } from '../located.ts'
import { array, record, text } from '../plain.ts'
import { readVersion } from '../semver.ts'
import { componentsOf, policiesOf } from '../view.ts'
import { at, errorAt, type Rule, type RuleInput, warningAt } from './rule.ts'

/** The spec is of this product; META01: the catalog entry says what people need; addresses and versions are well formed. LNT01: what is going away. */
export const metadataRules: Rule = {
  ids: ['META01', 'LNT01'],
  check(input) {
    return [...identity(input), ...entry(input), ...addresses(input.document), ...scopes(input)]
  },
}

function identity(input: RuleInput): Diagnostic[] {
  const found: Diagnostic[] = []
  const { domain, product } = input.context
  const mismatch = (document: Located, path: string[], is: string, should: string, noun: string) => {
    if (is === '' || is === should) return
    const edits = rewriteOf(document, pointerOf(path), is, should)
    found.push({
      ...errorAt('SPEC_METADATA_MISMATCH', positionAt(document, pointerOf(path)), {
        what: `${path.join('.')} is ${is.slice(0, 80)}, but this is the repository of ${domain}/${product}`,
        why: `the ${noun} never changes`,
        fix: `Write ${path.at(-1)}: ${should}`,
      }),
      ...(edits && { edits }),
    })
  }
  mismatch(
    input.document,
    ['metadata', 'namespace'],
    text(valueAt(input.document, ['metadata', 'namespace'])),
    domain,
    "product's domain",
  )
  mismatch(input.document, ['metadata', 'name'], text(valueAt(input.document, ['metadata', 'name'])), product, "product's name")
  if (input.deploy)
    mismatch(input.deploy, ['metadata', 'name'], text(valueAt(input.deploy, ['metadata', 'name'])), product, "product's name")
  const version = record(valueAt(input.document, ['metadata', 'annotations'])).version
  if (typeof version === 'string' && !readVersion(version))
    found.push(
      errorAt('SPEC_VERSION_INVALID', at(input, '/metadata/annotations/version'), {
        what: `The version ${version.slice(0, 40)} is not major.minor.patch`,
        fix: 'Write a quoted version such as "1.2.0", or leave it out: it then follows the ports.',
      }),
    )
  return found
}

function entry(input: RuleInput): Diagnostic[] {
  const { spec } = input
  const policy = policiesOf(input.document, 'data-product')[0]
  const active = spec.status === 'active'
  const where = policy ? at(input, `${policy.pointer}/type`) : at(input, '/metadata/name')
  const say = active ? errorAt : warningAt
  const why = 'it is what people find in the catalog'
  const found: Diagnostic[] = []
  if (spec.description.purpose === '')
    found.push(
      say('SPEC_METADATA_INCOMPLETE', where, {
        what: 'The product does not say what it is for',
        why,
        fix: 'Add description: {purpose: ...} to the policy data-product.',
      }),
    )
  if (spec.team.members.length === 0)
    found.push(
      say('SPEC_METADATA_INCOMPLETE', where, {
        what: 'The product names no team member',
        why,
        fix: 'Add team: {name: ..., members: [{username: ..., role: owner}]} to the policy data-product.',
      }),
    )
  if (active && array(policy?.properties.support).length === 0)
    found.push(
      errorAt('SPEC_METADATA_INCOMPLETE', where, {
        what: 'The product is active and names no place to ask',
        why,
        fix: 'Add support: [{channel: ...}] to the policy data-product.',
      }),
    )
  return found
}

/** Shown as links: anything but http(s) and mailto could run in a reader's browser. */
function addresses(document: Located): Diagnostic[] {
  const found: Diagnostic[] = []
  const walk = (value: unknown, pointer: string) => {
    if (value === null || typeof value !== 'object') return
    for (const [key, inner] of Object.entries(value)) {
      const here = pointer + pointerOf([key])
      if (key === 'url' && typeof inner === 'string' && !isAddress(inner))
        found.push(
          errorAt('SPEC_VALUE_INVALID', positionAt(document, here), {
            what: 'url is not an address',
            why: 'it is shown as a link',
            fix: 'Write a full address such as https://example.org/page',
          }),
        )
      walk(inner, here)
    }
  }
  walk(document.value, '')
  return found
}

function isAddress(value: string): boolean {
  if (!/^(https?:\/\/|mailto:)/i.test(value) || /\s/.test(value)) return false
  return URL.canParse(value)
}

function scopes(input: RuleInput): Diagnostic[] {
  return componentsOf(input.document)
    .filter((_, i) => valueAt(input.document, ['spec', 'components', i, 'scopes']) !== undefined)
    .map((component) =>
      warningAt('SPEC_KEY_DEPRECATED', at(input, `${component.pointer}/scopes`, 'key'), {
        what: 'scopes are deprecated in OAM and do nothing here',
        fix: 'Use policies.',
      }),
    )
}
