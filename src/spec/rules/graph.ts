import type { Diagnostic } from '../../core/diagnostic.ts'
import { record, records, text } from '../plain.ts'
import { type ComponentView, componentsOf } from '../view.ts'
import { at, errorAt, type Rule, warningAt } from './rule.ts'

/** DAG01: no circle among components; nothing without a purpose. */
export const graphRules: Rule = {
  ids: ['DAG01'],
  check(input) {
    const components = componentsOf(input.document)
    const found: Diagnostic[] = []
    const circle = findCircle(components)
    if (circle)
      found.push(
        errorAt('SPEC_COMPONENT_CYCLE', at(input, `${circle.component.pointer}/dependsOn`), {
          what: `${circle.path.join(' → ')} is a circle`,
          why: 'none of them could run first',
          fix: 'Remove one of the dependencies.',
        }),
      )
    const used = new Set(components.flatMap((component) => [...edgesOf(component)]))
    for (const component of components) {
      const role = component.definition?.role
      const where = at(input, `${component.pointer}/name`)
      if (role === 'input-port' && !used.has(component.name))
        found.push(
          warningAt('SPEC_COMPONENT_UNUSED', where, {
            what: `Nothing reads the input port ${component.name}`,
            fix: 'Name it in writes: or dependsOn:, or remove it.',
          }),
        )
      if (role === 'ingestion' && !used.has(component.name))
        found.push(
          warningAt('SPEC_COMPONENT_UNUSED', where, {
            what: `Nothing uses what ${component.name} ingests`,
            fix: `Add dependsOn: [${component.name}] to the transformation.`,
          }),
        )
      if (role === 'transformation' && !used.has(component.name))
        found.push(
          warningAt('SPEC_COMPONENT_UNUSED', where, {
            what: `No output port serves what ${component.name} makes`,
            fix: `Add dependsOn: [${component.name}] to the output port.`,
          }),
        )
      if (role === 'output-port' && edgesOf(component).size === 0)
        found.push(
          warningAt('SPEC_COMPONENT_UNUSED', where, {
            what: `Nothing feeds the output port ${component.name}`,
            fix: 'Add dependsOn: [<transformation>].',
          }),
        )
    }
    return found
  },
}

/** Every component this one needs, however it says so. */
function edgesOf(component: ComponentView): Set<string> {
  const edges = new Set(component.dependsOn.map((dependency) => dependency.name))
  for (const write of records(component.properties.writes)) edges.add(text(write.from))
  if (typeof component.properties.source === 'string') edges.add(component.properties.source)
  for (const trait of component.traits)
    for (const source of records(record(trait.properties.events).sources)) edges.add(text(source.component))
  edges.delete('')
  return edges
}

/** Iterative depth-first search: a hostile chain is as long as the spec, not as deep as the stack. */
function findCircle(components: readonly ComponentView[]): { component: ComponentView; path: string[] } | null {
  const byName = new Map(components.map((component) => [component.name, component]))
  const done = new Set<string>()
  for (const start of byName.keys()) {
    const path: string[] = []
    const onPath = new Set<string>()
    const stack: { name: string; leave: boolean }[] = [{ name: start, leave: false }]
    while (stack.length > 0) {
      const { name, leave } = stack.pop()!
      if (leave) {
        path.pop()
        onPath.delete(name)
        done.add(name)
        continue
      }
      const component = byName.get(name)
      if (!component || done.has(name)) continue
      if (onPath.has(name)) return { component, path: [...path.slice(path.indexOf(name)), name] }
      path.push(name)
      onPath.add(name)
      stack.push({ name, leave: true })
      for (const next of edgesOf(component)) stack.push({ name: next, leave: false })
    }
  }
  return null
}
