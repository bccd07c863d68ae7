import { type ComponentDefinition, definitionOf } from './definitions.ts'
import { type Located, valueAt } from './located.ts'
import { array, type Plain, record, text } from './plain.ts'

/** The spec as rules walk it: every item with the pointer it stands at. */
export type TraitView = { pointer: string; type: string; properties: Plain }
export type ComponentView = {
  pointer: string
  name: string
  type: string
  definition: ComponentDefinition | undefined
  properties: Plain
  traits: TraitView[]
  dependsOn: { name: string; pointer: string }[]
}
export type PolicyView = { pointer: string; name: string; type: string; properties: Plain }

export function componentsOf(document: Located): ComponentView[] {
  return array(valueAt(document, ['spec', 'components'])).map((item, i) => {
    const component = record(item)
    const pointer = `/spec/components/${i}`
    return {
      pointer,
      name: text(component.name),
      type: text(component.type),
      definition: definitionOf(text(component.type)),
      properties: record(component.properties),
      traits: array(component.traits).map((trait, j) => ({
        pointer: `${pointer}/traits/${j}`,
        type: text(record(trait).type),
        properties: record(record(trait).properties),
      })),
      dependsOn: array(component.dependsOn).map((name, j) => ({ name: text(name), pointer: `${pointer}/dependsOn/${j}` })),
    }
  })
}

export function policiesOf(document: Located, type?: string): PolicyView[] {
  return array(valueAt(document, ['spec', 'policies']))
    .map((item, i) => {
      const policy = record(item)
      return {
        pointer: `/spec/policies/${i}`,
        name: text(policy.name),
        type: text(policy.type),
        properties: record(policy.properties),
      }
    })
    .filter((policy) => type === undefined || policy.type === type)
}
