import type { Diagnostic } from '../../core/diagnostic.ts'
import { records, strings, text } from '../plain.ts'
import { policiesOf } from '../view.ts'
import { at, errorAt, type Rule } from './rule.ts'

const ACCESS: Record<string, string> = { consumer: 'read', service: 'write', owner: 'admin' }

/** SEC04: consumer reads, service writes, owner administers; one of each, and somebody owns the product. */
export const roleRules: Rule = {
  ids: ['SEC04'],
  check(input) {
    const found: Diagnostic[] = []
    const seen = new Set<string>()
    for (const policy of policiesOf(input.document, 'access-control'))
      for (const [i, role] of records(policy.properties.roles).entries()) {
        const pointer = `${policy.pointer}/properties/roles/${i}`
        const name = text(role.role)
        const access = Object.hasOwn(ACCESS, name) ? ACCESS[name] : undefined
        if (access === undefined) continue
        if (seen.has(name))
          found.push(
            errorAt('SPEC_ROLE_INVALID', at(input, `${pointer}/role`), {
              what: `The role ${name} is given twice`,
              why: 'a product has one of each',
              fix: 'Merge the two.',
            }),
          )
        seen.add(name)
        if (typeof role.access === 'string' && role.access !== access)
          found.push(
            errorAt('SPEC_ROLE_INVALID', at(input, `${pointer}/access`), {
              what: `The role ${name} has access ${role.access.slice(0, 20)}`,
              why: 'consumer reads, service writes, owner administers',
              fix: `Write access: ${access}.`,
            }),
          )
        if (name !== 'consumer' && role.selector !== undefined)
          found.push(
            errorAt('SPEC_ROLE_INVALID', at(input, `${pointer}/selector`, 'key'), {
              what: `The role ${name} selects ports`,
              why: 'it concerns the whole product',
              fix: 'Remove selector.',
            }),
          )
        if (name === 'owner' && strings(role.groups).length + strings(role.principals).length === 0)
          found.push(
            errorAt('SPEC_ROLE_INVALID', at(input, pointer), {
              what: 'Nobody owns this product',
              fix: 'Add groups: or principals: with the owners.',
            }),
          )
      }
    if (!seen.has('owner') && input.context.domainOwners.length === 0)
      found.push(
        errorAt('SPEC_ROLE_INVALID', at(input, '/metadata/namespace'), {
          what: 'Nobody owns this product',
          why: `the domain ${input.context.domain} has no owners to take over`,
          fix: 'Add a policy access-control with the role owner.',
        }),
      )
    return found
  },
}
