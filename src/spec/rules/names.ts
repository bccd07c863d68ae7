import type { Diagnostic } from '../../core/diagnostic.ts'
import { isName } from '../../core/names.ts'
import { array, records, text } from '../plain.ts'
import { componentsOf, policiesOf } from '../view.ts'
import { at, atPart, errorAt, type Rule, type RuleInput } from './rule.ts'

/** Fully reserved in PostgreSQL: as an object's name they force every consumer to quote. */
const RESERVED = new Set(
  `all analyse analyze and any array as asc asymmetric both case cast check collate column constraint create current_date current_role current_time
current_timestamp current_user default deferrable desc distinct do else end except false fetch for foreign from grant group having in initially intersect
into lateral leading limit localtime localtimestamp not null offset on only or order placing primary references returning select session_user some
symmetric system_user table then to trailing true union unique user using variadic when where window with`.split(/\s+/),
)

/** REF02: names unique (after `-` → `_`, whatever the case) and usable in SQL; REF03: traits only where their type allows them, each once. */
export const nameRules: Rule = {
  ids: ['REF02', 'REF03'],
  check(input) {
    const components = componentsOf(input.document)
    const policies = policiesOf(input.document)
    const found: Diagnostic[] = []
    const unique = (named: { name: string; pointer: string }[], noun: string) => found.push(...duplicates(input, named, noun))
    unique(
      components.map(({ name, pointer }) => ({ name, pointer: `${pointer}/name` })),
      'component',
    )
    unique(
      policies.map(({ name, pointer }) => ({ name, pointer: `${pointer}/name` })),
      'policy',
    )
    for (const type of ['data-product', 'access-control', 'alert-receivers', 'retention']) {
      for (const policy of policies.filter((candidate) => candidate.type === type).slice(1))
        found.push(
          errorAt('SPEC_NAME_DUPLICATE', at(input, `${policy.pointer}/type`), {
            what: `There is a second policy of type ${type}`,
            why: 'a product has one; which of the two holds could not be told',
            fix: 'Merge the two.',
          }),
        )
    }
    for (const component of components) {
      for (const trait of component.traits) {
        if (component.definition && !component.definition.traits.includes(trait.type as 'trigger'))
          found.push(
            errorAt('SPEC_TRAIT_MISPLACED', at(input, `${trait.pointer}/type`), {
              what: `The trait ${trait.type} does not apply to ${component.type}`,
              why: `${component.type} takes ${component.definition.traits.join(', ') || 'no traits'}`,
              fix: 'Move it to a component it applies to.',
            }),
          )
        const slos = array(trait.properties.slos).map((slo, i) => ({
          name: text(records([slo])[0]?.name),
          pointer: `${trait.pointer}/properties/slos/${i}/name`,
        }))
        unique(slos, 'service level')
      }
      for (const trait of component.traits.filter(
        (one, i) => component.traits.findIndex((other) => other.type === one.type) !== i,
      ))
        found.push(
          errorAt('SPEC_TRAIT_MISPLACED', at(input, `${trait.pointer}/type`), {
            what: `${component.name} has the trait ${trait.type} twice`,
            why: 'OAM allows one trait of a type per component',
            fix: 'Merge the two.',
          }),
        )
    }
    return [...found, ...contractNames(input), ...portVersions(input), ...stagingTables(input)]
  },
}

function contractNames(input: RuleInput): Diagnostic[] {
  const found: Diagnostic[] = []
  const own = input.spec.outputs.filter((port) => port.kind === 'sql')
  for (const objects of [
    ...own.map((port) => port.objects),
    ...input.spec.inputs.map((port) => (port.kind === 'file' && port.contract ? [port.contract] : [])),
  ]) {
    const seen = new Set<string>()
    for (const object of objects) {
      const where = atPart(input, object, '/name')
      if (seen.has(sqlForm(object.name))) found.push(twice('object', object.name, where))
      seen.add(sqlForm(object.name))
      if (RESERVED.has(object.name.toLowerCase()))
        found.push(
          errorAt('SPEC_NAME_RESERVED', where, {
            what: `The object ${object.name} is named like a word of SQL`,
            why: 'every consumer would have to quote it',
            fix: `Write ${object.name}s, for example.`,
          }),
        )
      const columns = new Set<string>()
      for (const column of object.columns) {
        if (columns.has(column.name.toLowerCase()))
          found.push(twice('column', `${object.name}.${column.name}`, atPart(input, column, '/name')))
        columns.add(column.name.toLowerCase())
      }
    }
  }
  return found
}

/** Two components may share a port only as different majors of it. */
function portVersions(input: RuleInput): Diagnostic[] {
  const seen = new Map<string, string>()
  const found: Diagnostic[] = []
  for (const port of input.spec.outputs) {
    if (!isName(port.port)) continue
    const key = `${sqlForm(port.port)} v${port.major}`
    const known = seen.get(key)
    if (known !== undefined && known !== port.name)
      found.push(
        errorAt('SPEC_NAME_DUPLICATE', atPart(input, port, '/properties/port') ?? atPart(input, port, '/name'), {
          what: `${port.name} and ${known} are both version ${port.major} of the port ${port.port}`,
          why: 'two components of one port are two live majors',
          fix: 'Give one of them another major version, or another port.',
        }),
      )
    seen.set(key, port.name)
  }
  return found
}

function stagingTables(input: RuleInput): Diagnostic[] {
  const seen = new Map<string, string>()
  const found: Diagnostic[] = []
  for (const ingestion of input.spec.ingestions)
    for (const [i, write] of ingestion.writes.entries()) {
      if (write.table === '') continue
      const known = seen.get(write.table)
      if (known !== undefined)
        found.push(twice('staging table', write.table, atPart(input, ingestion, `/properties/writes/${i}/to`)))
      seen.set(write.table, ingestion.name)
    }
  return found
}

function duplicates(input: RuleInput, named: { name: string; pointer: string }[], noun: string): Diagnostic[] {
  const seen = new Set<string>()
  return named.flatMap(({ name, pointer }) => {
    if (name === '') return []
    const known = seen.has(sqlForm(name))
    seen.add(sqlForm(name))
    return known ? [twice(noun, name, at(input, pointer))] : []
  })
}

function twice(noun: string, name: string, where: Diagnostic['at']): Diagnostic {
  return errorAt('SPEC_NAME_DUPLICATE', where, {
    what: `There are two ${noun === 'policy' ? 'policies' : `${noun}s`} named ${name}`,
    fix: 'Rename one of them.',
  })
}

function sqlForm(name: string): string {
  return name.toLowerCase().replaceAll('-', '_')
}
