/** A policy is a row filter or a mask; nothing else. Typed trees: text is parsed once, then evaluated, explained and rendered per dialect. */
export type Literal = string | number | boolean
/** `subject.facility_ids` in a condition: the reader's attribute of that name, always a list of texts. */
export type SubjectAttribute = { subject: string }

export type Filter =
  | { op: 'and' | 'or'; args: Filter[] }
  | { op: 'not'; arg: Filter }
  | { op: 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'; column: string; value: Literal | SubjectAttribute }
  | { op: 'in'; column: string; values: Literal[] | SubjectAttribute }
  | { op: 'is-null'; column: string }

export type ProductRole = 'consumer' | 'service' | 'owner'
/** Who a policy does not touch: a role of the product, or subjects whose attribute holds the value. */
export type Exemption = { role: ProductRole } | { attribute: string; equals: string }

/** Readers see only rows for which the condition is true. Several filters of one object all apply. */
export type RowFilter = { name: string; object: string; condition: Filter; exempt: Exemption[] }

/** `hash` is a keyed HMAC (per domain, so masked keys still join); `round` cuts dates (`year`, `month`) and numbers (`10`, `100`). */
export type MaskMethod = 'null' | 'constant' | 'regex' | 'hash' | 'round'
export type Mask = {
  name: string
  object: string
  column: string
  method: MaskMethod
  arguments: Record<string, Literal>
  exempt: Exemption[]
}
