import type { Diagnostic, Position } from '../../core/diagnostic.ts'
import type { ErrorCode } from '../../core/errors.ts'
import { rewriteOf } from '../edits.ts'
import type { Located } from '../located.ts'
import { positionAt } from '../located.ts'
import { onlyNearest } from '../nearest.ts'
import { type Origins, positionOfPart } from '../origins.ts'
import type { ProductSpec } from '../types.ts'

/** Names the platform knows; what is null is not known here and not checked. */
export type RuleContext = {
  domain: string
  product: string
  domainOwners: readonly string[]
  environments: readonly string[] | null
  /** sources that the mesh lets this domain read files from */
  sources: readonly string[] | null
  /** texts of the dbt project by path, where they are at hand: models and their properties files */
  models?: Readonly<Record<string, string>>
}

/** What a rule looks at: the document as written (overrides merged in), the same with short forms expanded, and the result. */
export type RuleInput = {
  document: Located
  expanded: Located
  spec: ProductSpec
  origins: Origins
  deploy: Located | null
  contracts: ReadonlyMap<string, Located>
  context: RuleContext
}

/** `ids` are the rule ids of the spec language reference. */
export type Rule = { ids: readonly string[]; check(input: RuleInput): Diagnostic[] }

type Said = { what: string; why?: string; fix?: string }

export function errorAt(code: ErrorCode, at: Position | undefined, said: Said): Diagnostic {
  return { severity: 'error', code, ...said, ...(at && { at }) }
}

export function warningAt(code: ErrorCode, at: Position | undefined, said: Said): Diagnostic {
  return { severity: 'warning', code, ...said, ...(at && { at }) }
}

export function at(input: RuleInput, pointer: string, which: 'key' | 'value' = 'value'): Position {
  return positionAt(input.expanded, pointer, which)
}

export function atPart(input: RuleInput, part: object, inside = '', which: 'key' | 'value' = 'value'): Position | undefined {
  return positionOfPart(input.origins, part, inside, which)
}

/** With the edit that writes the one candidate that is meant, where the wrong name stands as it is read. */
export function corrected(
  diagnostic: Diagnostic,
  document: Located,
  pointer: string,
  name: string,
  candidates: readonly string[],
): Diagnostic {
  const meant = onlyNearest(name, candidates)
  const edits = meant === undefined ? null : rewriteOf(document, pointer, name, meant)
  return edits ? { ...diagnostic, edits } : diagnostic
}
