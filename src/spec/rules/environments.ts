import type { Diagnostic } from '../../core/diagnostic.ts'
import { pointerOf, positionAt, valueAt } from '../located.ts'
import { didYouMean } from '../nearest.ts'
import { array, record, records, strings, text } from '../plain.ts'
import { policiesOf } from '../view.ts'
import { at, errorAt, type Rule, type RuleInput } from './rule.ts'

/** What no environment may change: who reads what must not depend on where it runs. */
const FIXED = ['contract', 'contractRef', 'port', 'version', 'source']

/** ENV01 overrides keep to what may differ; ENV02 environments exist and can be deployed to (each is also checked after its overrides are merged). */
export const environmentRules: Rule = {
  ids: ['ENV01', 'ENV02'],
  check(input) {
    return [...forbidden(input), ...environments(input)]
  },
}

function forbidden(input: RuleInput): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const policy of policiesOf(input.document, 'override'))
    for (const [i, change] of records(policy.properties.components).entries()) {
      const base = `${policy.pointer}/properties/components/${i}`
      for (const key of FIXED.filter((one) => record(change.properties)[one] !== undefined))
        found.push(
          errorAt('SPEC_OVERRIDE_FORBIDDEN', at(input, `${base}/properties/${key}`, 'key'), {
            what: `${policy.name} changes ${key} of ${text(change.name)}`,
            why: 'the contract is the same in every environment',
            fix: `Remove ${key} from the override.`,
          }),
        )
      for (const [j, trait] of records(change.traits).entries())
        if (trait.type === 'data-policy')
          found.push(
            errorAt('SPEC_OVERRIDE_FORBIDDEN', at(input, `${base}/traits/${j}/type`), {
              what: `${policy.name} changes the protection of ${text(change.name)}`,
              why: 'masks and row filters are the same in every environment',
              fix: 'Remove the trait from the override.',
            }),
          )
    }
  return found
}

function environments(input: RuleInput): Diagnostic[] {
  const { deploy, context } = input
  if (!deploy) return []
  const found: Diagnostic[] = []
  const policies = policiesOf(input.document)
  for (const [name, value] of Object.entries(record(valueAt(deploy, ['environments'])))) {
    const pointer = `/environments${pointerOf([name])}`
    const environment = record(value)
    if (context.environments && !context.environments.includes(name))
      found.push(
        errorAt('SPEC_ENVIRONMENT_INVALID', positionAt(deploy, pointer, 'key'), {
          what: `The mesh has no environment ${name.slice(0, 60)}`,
          why: `it has ${context.environments.join(', ') || 'none'}`,
          fix: didYouMean(name, context.environments) ?? 'Use an environment of the mesh.',
        }),
      )
    const approvals = record(environment.approvals)
    if (environment.protected === true && array(approvals.from).length === 0)
      found.push(
        errorAt('SPEC_ENVIRONMENT_INVALID', positionAt(deploy, `${pointer}/protected`), {
          what: `${name} is protected and nobody can approve`,
          fix: 'Add approvals: {required: 1, from: [owner]}.',
        }),
      )
    if (environment.protected !== true && environment.approvals !== undefined)
      found.push(
        errorAt('SPEC_ENVIRONMENT_INVALID', positionAt(deploy, `${pointer}/approvals`, 'key'), {
          what: `${name} has approvals but is not protected`,
          why: 'they would never be asked for',
          fix: 'Add protected: true, or remove approvals.',
        }),
      )
    for (const [i, wanted] of strings(environment.policies).entries()) {
      const policy = policies.find((candidate) => candidate.name === wanted)
      const usable = policies
        .filter((candidate) => candidate.type === 'topology' || candidate.type === 'override')
        .map((candidate) => candidate.name)
      const where = positionAt(deploy, `${pointer}/policies/${i}`)
      if (!policy || !usable.includes(wanted))
        found.push(
          errorAt('SPEC_REFERENCE_UNKNOWN', where, {
            what: policy
              ? `The policy ${wanted} is neither topology nor override`
              : `There is no policy named ${wanted.slice(0, 63)}`,
            why: usable.length > 0 ? `there is ${usable.join(', ')}` : 'the spec declares none',
            fix: didYouMean(wanted, usable) ?? 'Name a topology or override policy of the spec.',
          }),
        )
      else if (policy.type === 'topology' && !strings(policy.properties.clusters).includes(name))
        found.push(
          errorAt('SPEC_ENVIRONMENT_INVALID', where, {
            what: `The topology ${wanted} does not lead to ${name}`,
            why: `it leads to ${strings(policy.properties.clusters).join(', ') || 'nowhere'}`,
            fix: `Add ${name} to its clusters, or name another.`,
          }),
        )
    }
  }
  return found
}
