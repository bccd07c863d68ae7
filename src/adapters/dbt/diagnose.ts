import type { Diagnostic, Position } from '../../core/diagnostic.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { TransformationJob, TransformationResult } from '../../platform/transformation.ts'
import { nodeStatus, type RawDone, type RawNodeFinished, redactNode, shorten } from './raw-event.ts'
import { redact } from './redact.ts'
import type { JobEnd } from './watch-job.ts'

/** What became of a job and why, in words for the author of the project. Pure. */
export function diagnose(
  end: JobEnd,
  job: Pick<TransformationJob, 'timeoutMs'>,
): Pick<TransformationResult, 'outcome' | 'diagnostics'> {
  const nodes = end.failed.map(diagnoseNode)
  if (end.ending === 'cancelled')
    return { outcome: 'cancelled', diagnostics: [bare('TRANSFORM_JOB_CANCELLED', 'The run was cancelled')] }
  if (end.ending === 'timeout') {
    const what = `The run took longer than ${Math.round(job.timeoutMs / 1000)} s`
    return { outcome: 'failed', diagnostics: [...nodes, bare('TRANSFORM_JOB_TIMEOUT', what)] }
  }
  if (!end.done) return { outcome: 'lost', diagnostics: [...nodes, bare('TRANSFORM_JOB_LOST', sayLoss(end))] }
  const { success, exception } = end.done
  if (!success && [...end.failed, exception].some((each) => DATABASE_LOST.test(each?.message ?? '')))
    return { outcome: 'lost', diagnostics: [...nodes, bare('TRANSFORM_JOB_LOST', 'The database ended the connection of dbt')] }
  if (success) return { outcome: 'succeeded', diagnostics: nodes }
  const errors = nodes.filter(({ severity }) => severity === 'error')
  if (exception || errors.length === 0) return { outcome: 'failed', diagnostics: [...nodes, diagnoseException(end.done)] }
  return { outcome: 'failed', diagnostics: nodes }
}

/** libpq's words for a server that died, was restarted or ended the session: the project is not to blame, the step may be tried again. */
const DATABASE_LOST =
  /server closed the connection unexpectedly|terminating connection (due to|because of)|the database system is (starting up|shutting down|in recovery|not yet accepting)/

function sayLoss({ ending, fork }: JobEnd): string {
  if (ending === 'silent') return 'The dbt process showed no sign of life and was ended'
  if (ending === 'flood') return 'The dbt process sent too much text and was ended'
  if (fork.serverGone) return 'The dbt fork server ended, and the run with it'
  return `The dbt process ended (${fork.signal === null ? `code ${fork.code}` : `signal ${fork.signal}`}) without a result`
}

function diagnoseNode(node: RawNodeFinished): Diagnostic {
  const isTest = node.resource === 'test' || node.resource === 'unit_test'
  const status = nodeStatus(node.status)
  const message = node.message === null ? null : shorten(redactNode(node.message))
  const base = { severity: status === 'warn' ? 'warning' : 'error', ...locate(node) } as const
  if (isTest && status !== 'error') {
    const rows = node.failures === null ? '' : `: ${node.failures} ${node.failures === 1 ? 'row' : 'rows'}`
    return {
      ...base,
      code: 'TRANSFORM_TEST_FAILED',
      what: `Test ${node.name} failed${rows}`,
      ...(message && { why: message }),
      fix: 'Correct the model, its source or the test, and push; consumers still read what they read before.',
    }
  }
  return {
    ...base,
    code: 'TRANSFORM_MODEL_FAILED',
    what: `${isTest ? 'Test' : (node.resource[0] ?? '').toUpperCase() + node.resource.slice(1)} ${node.name} failed`,
    ...(message && { why: stripHeader(message) }),
  }
}

function diagnoseException({ parsed, exception }: RawDone): Diagnostic {
  if (!exception) return bare('TRANSFORM_BUILD_FAILED', 'dbt failed without saying why')
  const { type } = exception
  const fromDatabase = /Database|Connect/.test(type) || /^\s*Database Error/.test(exception.message)
  const message = shorten(redact(exception.message, fromDatabase || parsed ? 'database' : 'code'))
  const code = codeOf(type, fromDatabase, parsed)
  return { severity: 'error', code, what: firstLine(stripHeader(message)), why: message, ...locate(exception) }
}

function codeOf(type: string, fromDatabase: boolean, parsed: boolean): ErrorCode {
  if (fromDatabase) return /Connect/.test(type) || !parsed ? 'TRANSFORM_DATABASE_UNREACHABLE' : 'TRANSFORM_BUILD_FAILED'
  if (type === 'UninstalledPackagesFoundError') return 'TRANSFORM_PACKAGES_MISSING'
  return parsed || type === 'DbtUsageException' ? 'TRANSFORM_BUILD_FAILED' : 'TRANSFORM_PROJECT_UNPARSABLE'
}

/** dbt does not always know the line: then the file's first one. */
function locate(place: { file: string | null; line: number | null; column: number | null }): { at?: Position } {
  if (place.file === null) return {}
  return { at: { file: place.file, line: Math.max(1, place.line ?? 1), column: Math.max(1, place.column ?? 1) } }
}

const stripHeader = (message: string): string => message.replace(/^\s*[A-Z]\w* Error\b[^\n]*\n\s*/, '')
const firstLine = (message: string): string => message.trim().split('\n')[0]!.slice(0, 300)
const bare = (code: ErrorCode, what: string): Diagnostic => ({ severity: 'error', code, what })
