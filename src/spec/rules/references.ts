import type { Diagnostic } from '../../core/diagnostic.ts'
import { didYouMean } from '../nearest.ts'
import { array, record, records, strings, text } from '../plain.ts'
import { componentsOf, policiesOf } from '../view.ts'
import { at, corrected, errorAt, type Rule, type RuleInput } from './rule.ts'

/** REF01: every name refers to something declared. */
export const referenceRules: Rule = {
  ids: ['REF01'],
  check(input) {
    const components = componentsOf(input.document)
    const byRole = (...roles: string[]) =>
      components.filter((component) => roles.includes(component.definition?.role ?? '')).map((component) => component.name)
    const all = components.map((component) => component.name)
    const inputs = byRole('input-port')
    const outputs = byRole('output-port')
    const sqlPorts = components.filter((component) => component.type === 'sql-output-port').map((component) => component.name)
    const found: Diagnostic[] = []
    const check = (name: string, pointer: string, declared: readonly string[], noun: string) => {
      if (name === '' || declared.includes(name)) return
      found.push(unknown(input, name, pointer, declared, noun))
    }
    for (const component of components) {
      const { pointer, properties, type } = component
      for (const dependency of component.dependsOn) check(dependency.name, dependency.pointer, all, 'component')
      if (component.definition?.role === 'ingestion')
        for (const [i, write] of records(properties.writes).entries())
          check(text(write.from), `${pointer}/properties/writes/${i}/from`, inputs, 'input port')
      if (type === 'api-output-port') check(text(properties.source), `${pointer}/properties/source`, sqlPorts, 'SQL output port')
      if (type === 'file-input-port') checkSource(input, component, found)
      if (typeof properties.contractRef === 'string')
        check(properties.contractRef, `${pointer}/properties/contractRef`, [...input.contracts.keys()], 'contract file')
      for (const trait of component.traits) {
        for (const [i, source] of records(record(trait.properties.events).sources).entries())
          check(text(source.component), `${trait.pointer}/properties/events/sources/${i}/component`, all, 'component')
      }
    }
    const receivers = policiesOf(input.document, 'alert-receivers').flatMap((policy) =>
      records(policy.properties.targets).map((target) => text(target.name)),
    )
    for (const component of components)
      for (const trait of component.traits)
        for (const [i, alert] of records(trait.properties.alertPolicies).entries())
          for (const [j, target] of array(alert.notificationTargets).entries())
            check(
              text(target),
              `${trait.pointer}/properties/alertPolicies/${i}/notificationTargets/${j}`,
              receivers,
              'alert receiver',
            )
    for (const policy of policiesOf(input.document)) {
      const base = `${policy.pointer}/properties`
      if (policy.type === 'data-sharing-agreement')
        for (const [i, name] of strings(policy.properties.selector).entries())
          check(name, `${base}/selector/${i}`, outputs, 'output port')
      if (policy.type === 'access-control')
        for (const [i, role] of records(policy.properties.roles).entries())
          for (const [j, name] of strings(role.selector).entries())
            check(name, `${base}/roles/${i}/selector/${j}`, outputs, 'output port')
      if (policy.type === 'override') {
        for (const [i, change] of records(policy.properties.components).entries())
          check(text(change.name), `${base}/components/${i}/name`, all, 'component')
        for (const [i, name] of strings(policy.properties.selector).entries())
          check(name, `${base}/selector/${i}`, all, 'component')
      }
      if (policy.type === 'topology' && input.context.environments)
        for (const [i, name] of strings(policy.properties.clusters).entries())
          check(name, `${base}/clusters/${i}`, input.context.environments, 'environment of the mesh')
      if (policy.type === 'retention') checkRetention(input, policy.properties, base, found)
    }
    return found
  },
}

function checkSource(
  input: RuleInput,
  component: { pointer: string; properties: Record<string, unknown> },
  found: Diagnostic[],
): void {
  const server = record(component.properties.server)
  if (server.type !== 'local' || input.context.sources === null || typeof server.path !== 'string') return
  const source = server.path.split('/')[0]!
  if (input.context.sources.includes(source)) return
  found.push({
    ...unknown(input, source, `${component.pointer}/properties/server/path`, input.context.sources, 'source of the mesh'),
    why:
      input.context.sources.length > 0
        ? `this domain may read ${input.context.sources.join(', ')}; the first part of the path names one of them`
        : 'the mesh lets this domain read no source',
  })
}

function checkRetention(input: RuleInput, properties: Record<string, unknown>, base: string, found: Diagnostic[]): void {
  const objects = input.spec.outputs.flatMap((port) => port.objects)
  for (const [i, rule] of records(properties.data).entries()) {
    const name = text(rule.object)
    if (name === '' || name === '*' || name.startsWith('staging.')) continue
    const object = objects.find((candidate) => candidate.name === name)
    if (!object) {
      found.push(
        unknown(
          input,
          name,
          `${base}/data/${i}/object`,
          objects.map((candidate) => candidate.name),
          'object of an output port',
        ),
      )
      continue
    }
    const columns = object.columns.map((column) => column.name)
    if (typeof rule.element === 'string' && !columns.includes(rule.element))
      found.push(unknown(input, rule.element, `${base}/data/${i}/element`, columns, `column of ${name}`))
  }
}

export function unknown(input: RuleInput, name: string, pointer: string, declared: readonly string[], noun: string): Diagnostic {
  const names = declared.filter((one) => one !== '')
  const diagnostic = errorAt('SPEC_REFERENCE_UNKNOWN', at(input, pointer), {
    what: `There is no ${noun} named ${name.slice(0, 80)}`,
    why: names.length > 0 ? `there is ${names.slice(0, 20).join(', ')}` : 'none is declared',
    fix: didYouMean(name, names) ?? 'Use a declared name, or declare it.',
  })
  return corrected(diagnostic, input.expanded, pointer, name, names)
}
