import type { Diagnostic, Position } from './diagnostic.ts'
import { ERRORS, type ErrorCode } from './errors.ts'

export type Failure = {
  what: string
  why?: string
  fix?: string
  at?: Position
  details?: readonly Diagnostic[]
  cause?: unknown
}

/** The one error class: a registry code with names and values, safe to show to the user. */
export class HeddleError extends Error {
  override name = 'HeddleError'
  readonly code: ErrorCode
  readonly why: string | undefined
  readonly fix: string
  readonly at: Position | undefined
  readonly details: readonly Diagnostic[]

  constructor(code: ErrorCode, failure: Failure) {
    super(failure.what, { cause: failure.cause })
    this.code = code
    this.why = failure.why
    this.fix = failure.fix ?? ERRORS[code].remedy
    this.at = failure.at
    this.details = failure.details ?? []
  }
}

/** @example throw fail('PRODUCT_NAME_TAKEN', { what: 'fleet/planes exists already', fix: 'Choose another name.' }) */
export function fail(code: ErrorCode, failure: Failure | string): HeddleError {
  return new HeddleError(code, typeof failure === 'string' ? { what: failure } : failure)
}

/** Any thrown thing as a HeddleError; unknown ones become INTERNAL_UNEXPECTED and keep their cause for the log only. */
export function asHeddleError(thrown: unknown): HeddleError {
  if (thrown instanceof HeddleError) return thrown
  return new HeddleError('INTERNAL_UNEXPECTED', { what: 'An unexpected error stopped this', cause: thrown })
}

/** What leaves the process: in problem documents, journal rows and JSON output. */
export type Problem = {
  code: ErrorCode
  message: string
  why?: string
  fix: string
  at?: Position
  details?: readonly Diagnostic[]
}

export function toProblem(error: HeddleError): Problem {
  return {
    code: error.code,
    message: error.message,
    ...(error.why && { why: error.why }),
    fix: error.fix,
    ...(error.at && { at: error.at }),
    ...(error.details.length > 0 && { details: error.details }),
  }
}
