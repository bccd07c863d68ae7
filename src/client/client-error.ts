import { ERRORS, type ErrorCode } from '../core/errors.ts'
import { fail, HeddleError } from '../core/fail.ts'
import type { Problem } from './types.ts'

/**
 * A problem document of the server as an error. `status` is the HTTP status; `requestId` finds the call in the server's log. The code may be one that
 * only a newer server knows.
 */
export type ClientError = HeddleError & { status: number; docs: string; requestId: string }

export function isClientError(thrown: unknown): thrown is ClientError {
  return thrown instanceof HeddleError && 'requestId' in thrown
}

export function clientError(problem: Problem): ClientError {
  // fail() reads the registry only without a fix, and a problem document always has one.
  const error = fail(problem.code as ErrorCode, {
    what: problem.detail,
    ...(problem.why !== undefined && { why: problem.why }),
    fix: problem.fix,
    ...(problem.at && { at: position(problem.at) }),
    ...(problem.details && {
      details: problem.details.map(({ code, severity, what, why, fix, at }) => ({
        severity,
        code: code as ErrorCode,
        what,
        ...(why !== undefined && { why }),
        ...(fix !== undefined && { fix }),
        ...(at && { at: position(at) }),
      })),
    }),
  })
  return Object.assign(error, { status: problem.status, docs: problem.docs, requestId: problem.requestId })
}

function position(at: NonNullable<Problem['at']>) {
  return { file: at.file, line: at.line, column: at.column, ...(at.endColumn !== undefined && { endColumn: at.endColumn }) }
}

/** A refused answer that is no problem document: something else than Heddle sits at the address, or a proxy answered for it. */
export function foreignAnswer(url: string, status: number): HeddleError {
  return fail('CLIENT_ANSWER_INVALID', { what: `${url} answered ${status} without saying why in the form of this API` })
}

/** @param cause what fetch threw; its code (ECONNREFUSED …) is the why */
export function unreachable(url: string, cause: unknown): HeddleError {
  const reason = (cause as { cause?: { code?: string; message?: string } }).cause
  const why = reason?.code ?? reason?.message ?? (cause as Error).message
  return fail('CLIENT_SERVER_UNREACHABLE', {
    what: `No answer from ${url}`,
    why,
    fix: ERRORS.CLIENT_SERVER_UNREACHABLE.remedy,
    cause,
  })
}
