import type { Filter, Literal } from './types.ts'

/** Columns a condition reads, each once. */
export function columnsOf(filter: Filter): string[] {
  return [...new Set(leavesOf(filter).map((leaf) => leaf.column))]
}

/** Attributes of the reader a condition looks at, each once. */
export function attributesOf(filter: Filter): string[] {
  const named = leavesOf(filter).flatMap((leaf) => {
    const operand = leaf.op === 'in' ? leaf.values : leaf.op === 'is-null' ? null : leaf.value
    return operand !== null && typeof operand === 'object' && !Array.isArray(operand) ? [operand.subject] : []
  })
  return [...new Set(named)]
}

export type LiteralUse = { column: string; value: Literal; op: 'compare' | 'boolean-order' }

/** Every literal with the column it is compared with. */
export function literalsOf(filter: Filter): LiteralUse[] {
  return leavesOf(filter).flatMap((leaf): LiteralUse[] => {
    if (leaf.op === 'is-null') return []
    if (leaf.op === 'in')
      return Array.isArray(leaf.values) ? leaf.values.map((value) => ({ column: leaf.column, value, op: 'compare' })) : []
    if (typeof leaf.value === 'object') return []
    const ordered = leaf.op !== 'eq' && leaf.op !== 'ne'
    return [
      { column: leaf.column, value: leaf.value, op: ordered && typeof leaf.value === 'boolean' ? 'boolean-order' : 'compare' },
    ]
  })
}

type Leaf = Extract<Filter, { column: string }>

function leavesOf(filter: Filter): Leaf[] {
  if ('args' in filter) return filter.args.flatMap(leavesOf)
  return 'arg' in filter ? leavesOf(filter.arg) : [filter]
}
