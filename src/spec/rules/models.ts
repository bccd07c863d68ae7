import type { Diagnostic, TextEdit } from '../../core/diagnostic.ts'
import { appendItem } from '../append.ts'
import { makeSource, positionOf } from '../located.ts'
import { isMaskedByTag, maskEdit, maskFor } from '../mask-edit.ts'
import { type BuiltColumn, builtColumns } from '../model-columns.ts'
import { looksPersonal } from '../sensitivity.ts'
import type { Column, OutputPort } from '../types.ts'
import { type ComponentView, componentsOf } from '../view.ts'
import { type Rule, type RuleInput, warningAt } from './rule.ts'

const SENSITIVE = ['pii', 'phi']

/**
 * CON03: what a model builds, consumers get, unless `meta: {served: false}` of the column says otherwise. A new column is one edit: the repair adds it to
 * the contract with its type, and with its mask where its name or a tag says that it is about people.
 */
export const modelRules: Rule = {
  ids: ['CON03'],
  check(input) {
    const { models } = input.context
    if (!models) return []
    const components = componentsOf(input.expanded)
    return input.spec.outputs
      .filter((port) => port.kind === 'sql')
      .flatMap((port) => {
        const component = components.find(({ name }) => name === port.name)
        return component ? unserved(input, port, component, models) : []
      })
  },
}

function unserved(
  input: RuleInput,
  port: OutputPort,
  component: ComponentView,
  files: Readonly<Record<string, string>>,
): Diagnostic[] {
  return port.objects.flatMap((object) => {
    const origin = input.origins.get(object)
    const built = builtColumns({ files, spec: input.spec }, object.from) ?? []
    const missing = built.filter(
      ({ name, wanted }, i) =>
        wanted &&
        !object.columns.some((column) => column.name.toLowerCase() === name.toLowerCase()) &&
        built.findIndex((other) => other.name === name) === i,
    )
    return missing.map((column) => {
      const name = `${object.name}.${column.name}`
      const edits = origin && column.logicalType ? editsFor(input, origin, object.name, component, column) : null
      const at = positionOf(makeSource(column.file, files[column.file]!), [column.offset, column.offset + column.name.length])
      const diagnostic = warningAt('SPEC_COLUMN_UNSERVED', at, {
        what: `${name} is built and the contract of the port ${port.name} does not have it`,
        why: 'consumers do not see it',
        fix: column.logicalType
          ? 'Add it to the contract, or write meta: {served: false} at the column in the .yml of the model.'
          : `Its type cannot be told from here: write (…)::<type> as ${column.name} in the model, or data_type in its .yml.`,
      })
      return edits ? { ...diagnostic, edits } : diagnostic
    })
  })
}

/** The column and, where it needs one, its mask: both or nothing. */
function editsFor(
  input: RuleInput,
  origin: { document: RuleInput['document']; pointer: string },
  object: string,
  component: ComponentView,
  { name, logicalType, tags, description }: BuiltColumn,
): TextEdit[] | null {
  const column: Column = {
    name,
    logicalType: logicalType!,
    physicalType: null,
    required: false,
    unique: false,
    primaryKey: false,
    classification: null,
    tags,
    description,
  }
  const personal = looksPersonal(object, column) && !tags.some((tag) => ['pii', 'phi', 'not-pii'].includes(tag))
  const all = personal ? [...tags, 'pii'] : tags
  const item = { name, logicalType, ...(all.length > 0 && { tags: all }), ...(description && { description }) }
  const added = appendItem(origin.document, `${origin.pointer}/properties`, item)
  if (!added) return null
  if (!all.some((tag) => SENSITIVE.includes(tag)) || isMaskedByTag(component, all)) return [added]
  const mask = maskEdit(input.expanded, component, maskFor(object, column, component))
  return mask ? [added, mask] : null
}
