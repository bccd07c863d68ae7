import type { TextEdit } from '../core/diagnostic.ts'
import { appendItem, appendKey } from './append.ts'
import type { Located } from './located.ts'
import { record, records, strings, text } from './plain.ts'
import type { Column } from './types.ts'
import type { ComponentView } from './view.ts'

export type NewMask = { name: string; columns: string[]; method: 'hash' | 'null' }

/** The mask that lets a consumer learn least and still fits the column: equal texts stay equal, everything else is empty. */
export function maskFor(object: string, column: Pick<Column, 'name' | 'logicalType'>, component: ComponentView): NewMask {
  const taken = new Set(masksOf(component).map((mask) => text(mask.name)))
  const base = column.name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^[^a-z]+|-+$/g, '')
  const names = [base || 'mask', ...Array.from({ length: 50 }, (_, i) => `${base || 'mask'}-${i + 2}`)]
  return {
    name: names.find((name) => !taken.has(name)) ?? names[0]!,
    columns: [`${object}.${column.name}`],
    method: column.logicalType === 'string' ? 'hash' : 'null',
  }
}

/** Is there a mask that takes every column with one of these tags? */
export function isMaskedByTag(component: ComponentView, tags: readonly string[]): boolean {
  return masksOf(component).some((mask) => strings(record(mask.match).tags).some((tag) => tags.includes(tag)))
}

/** Adds the mask to the component's data-policy, and that to its traits where there is none. */
export function maskEdit(document: Located, component: ComponentView, mask: NewMask): TextEdit | null {
  const trait = component.traits.find((one) => one.type === 'data-policy')
  const properties = { columnMasks: [mask] }
  if (!trait) {
    const policy = { type: 'data-policy', properties }
    return component.traits.length > 0
      ? appendItem(document, `${component.pointer}/traits`, policy)
      : appendKey(document, component.pointer, 'traits', [policy])
  }
  if (trait.properties.columnMasks !== undefined) return appendItem(document, `${trait.pointer}/properties/columnMasks`, mask)
  return document.places.has(`${trait.pointer}/properties`)
    ? appendKey(document, `${trait.pointer}/properties`, 'columnMasks', [mask])
    : appendKey(document, trait.pointer, 'properties', properties)
}

function masksOf(component: ComponentView) {
  return component.traits
    .filter((trait) => trait.type === 'data-policy')
    .flatMap((trait) => records(trait.properties.columnMasks))
}
