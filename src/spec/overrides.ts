import { copyPlaces, type Located, pointerOf } from './located.ts'
import { array, type Plain, record, strings, text } from './plain.ts'
import { componentsOf, policiesOf } from './view.ts'

/**
 * The spec as one environment sees it: the override policies that the deploy file names for the environment are merged in, in the spec's order. Maps
 * merge by key, lists and values are replaced, a disabled trait goes. What an override put in keeps the override's own line.
 */
export function forEnvironment(document: Located, environment: { policies: readonly string[] } | null): Located {
  const overrides = policiesOf(document, 'override').filter((policy) => environment?.policies.includes(policy.name))
  if (overrides.length === 0) return document
  const merged: Located = { source: document.source, value: structuredClone(document.value), places: new Map(document.places) }
  const components = array(record(record(merged.value).spec).components)
  for (const override of overrides) {
    const selector = strings(override.properties.selector)
    for (const [i, entry] of array(override.properties.components).entries()) {
      const change = record(entry)
      const from = `${override.pointer}/properties/components/${i}`
      const target = componentsOf(merged).find((component) => component.name === text(change.name))
      if (!target || (selector.length > 0 && !selector.includes(target.name))) continue
      const component = record(components[Number(target.pointer.split('/').at(-1))])
      if (change.properties !== undefined)
        component.properties = mergeValue(
          merged,
          component.properties,
          change.properties,
          `${target.pointer}/properties`,
          `${from}/properties`,
        )
      mergeTraits(merged, component, target.pointer, change, from)
    }
  }
  return merged
}

function mergeTraits(merged: Located, component: Plain, pointer: string, change: Plain, from: string): void {
  for (const [j, item] of array(change.traits).entries()) {
    const trait = record(item)
    const traits = array(component.traits)
    const at = traits.findIndex((candidate) => record(candidate).type === trait.type)
    if (trait.disable === true) {
      if (at >= 0) removeTrait(merged, component, traits, pointer, at)
      continue
    }
    if (at >= 0) {
      const known = record(traits[at])
      known.properties = mergeValue(
        merged,
        known.properties,
        trait.properties ?? {},
        `${pointer}/traits/${at}/properties`,
        `${from}/traits/${j}/properties`,
      )
      continue
    }
    const added: Plain = { type: trait.type, properties: structuredClone(trait.properties ?? {}) }
    component.traits = [...traits, added]
    copyPlaces(merged.places, merged.places, added, `${from}/traits/${j}`, `${pointer}/traits/${traits.length}`)
  }
}

function removeTrait(merged: Located, component: Plain, traits: unknown[], pointer: string, at: number): void {
  for (let next = at + 1; next < traits.length; next++)
    copyPlaces(merged.places, merged.places, traits[next], `${pointer}/traits/${next}`, `${pointer}/traits/${next - 1}`)
  component.traits = traits.filter((_, i) => i !== at)
}

function mergeValue(merged: Located, base: unknown, change: unknown, to: string, from: string): unknown {
  const isMap = (value: unknown) => value !== null && typeof value === 'object' && !Array.isArray(value)
  if (!isMap(base) || !isMap(change)) {
    copyPlaces(merged.places, merged.places, change, from, to)
    return structuredClone(change)
  }
  const result: Plain = { ...(base as Plain) }
  for (const [key, value] of Object.entries(change as Plain)) {
    const step = pointerOf([key])
    result[key] = mergeValue(merged, result[key], value, to + step, from + step)
  }
  return result
}
