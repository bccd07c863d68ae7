import type { ErrorCode } from './errors.ts'

/** A place in a file, both counted from 1; `endColumn` is exclusive. */
export type Position = { file: string; line: number; column: number; endColumn?: number }

/** Text for a place: instead of what stands there up to `endColumn`, or put in where it has none. Never over several lines. */
export type TextEdit = { at: Position; text: string }

/**
 * A problem found without stopping. The summary comes from the registry; `what` names the thing, `why` says why it matters, `fix` is what to write or
 * type. Never holds a row's value or a secret.
 */
export type Diagnostic = {
  severity: 'error' | 'warning'
  code: ErrorCode
  what: string
  why?: string
  fix?: string
  at?: Position
  /** the repair, where there is exactly one and it can be made without a thought: `heddle validate --fix` makes it */
  edits?: readonly TextEdit[]
}
