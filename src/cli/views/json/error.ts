import type { ShownProblem } from '../human/error.ts'

/** The error as one object for scripts; `retryable` says that the same command may work later without any change. */
export function errorObject(problem: ShownProblem, retryable: boolean): Record<string, unknown> {
  return {
    type: 'error',
    code: problem.code,
    message: problem.message,
    why: problem.why ?? null,
    fix: problem.fix === undefined ? [] : [problem.fix],
    docs: problem.docs ?? null,
    requestId: problem.requestId ?? null,
    retryable,
    ...(problem.at && { at: problem.at }),
    ...(problem.details && problem.details.length > 0 && { details: problem.details }),
  }
}
