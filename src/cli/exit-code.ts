import { isClientError } from '../client/client-error.ts'
import { ERRORS } from '../core/errors.ts'
import type { HeddleError } from '../core/fail.ts'

/** The closed list of exit codes; documented for scripts. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  denied: 4,
  runFailed: 5,
  waiting: 6,
  breached: 7,
  unreachable: 8,
  changes: 10,
  interrupted: 130,
} as const

/** Which exit code an error ends with. */
export function exitCodeOf(error: HeddleError): number {
  const status = isClientError(error) ? error.status : (ERRORS[error.code]?.status ?? 500)
  if (error.code === 'CLIENT_SERVER_UNREACHABLE') return EXIT.unreachable
  if (/^(SPEC|POLICY|DEPLOY|COMPATIBILITY)_/.test(error.code)) return EXIT.refused
  if (status === 401 || status === 403) return EXIT.denied
  if (isClientError(error)) return EXIT.failed
  return /^(CLI_(USAGE|INPUT|PRODUCT)|CORE)_/.test(error.code) ? EXIT.usage : EXIT.failed
}

/** Whether the same command may succeed later without a change. */
export function isRetryable(error: HeddleError): boolean {
  return error.code === 'CLIENT_SERVER_UNREACHABLE' || (isClientError(error) && (error.status === 429 || error.status >= 500))
}
