import pg from 'pg'
import type { ErrorCode } from '../../core/errors.ts'
import { fail, HeddleError } from '../../core/fail.ts'

/** Messages of these classes name objects only; those of others can hold a row's value, so their text never leaves here. */
const NAMES_ONLY = new Set(['2B', '3D', '3F', '42', '55', 'HD'])

const CODES: Record<string, ErrorCode> = {
  '42501': 'WAREHOUSE_ACCESS_DENIED',
  '42704': 'WAREHOUSE_OBJECT_MISSING',
  '42P01': 'WAREHOUSE_OBJECT_MISSING',
  '42883': 'WAREHOUSE_OBJECT_MISSING',
  '3D000': 'WAREHOUSE_NOT_INITIALISED',
  '3F000': 'WAREHOUSE_OBJECT_MISSING',
  '28P01': 'WAREHOUSE_NOT_INITIALISED',
  '28000': 'WAREHOUSE_NOT_INITIALISED',
  '2BP01': 'WAREHOUSE_OBJECT_USED',
  '55P03': 'WAREHOUSE_BUSY',
  '40001': 'WAREHOUSE_BUSY',
  '40P01': 'WAREHOUSE_BUSY',
  '53300': 'WAREHOUSE_BUSY',
  '57014': 'WAREHOUSE_CANCELLED',
  HD001: 'PRODUCT_NAME_TAKEN',
  HD002: 'WAREHOUSE_OBJECT_MISSING',
  HD004: 'WAREHOUSE_OBJECT_USED',
}

export function sqlstate(error: unknown): string | null {
  return error instanceof pg.DatabaseError ? (error.code ?? null) : null
}

/** Any thrown thing as an error of the registry. DETAIL, CONTEXT and the message of data errors are dropped: they quote rows. */
export function translate(error: unknown, doing: string, signal?: AbortSignal): HeddleError {
  if (error instanceof HeddleError) return error
  if (signal?.aborted) return fail('WAREHOUSE_CANCELLED', { what: `Cancelled: ${doing}` })
  if (!(error instanceof pg.DatabaseError)) {
    const code = (error as { code?: unknown } | null)?.code
    return fail('WAREHOUSE_UNREACHABLE', {
      what: `The warehouse could not be asked to ${doing}`,
      why: typeof code === 'string' ? code : 'The connection was lost.',
    })
  }
  const state = error.code ?? 'XX000'
  if (state.startsWith('57P') || state.startsWith('08'))
    return fail('WAREHOUSE_UNREACHABLE', { what: `The warehouse ended the connection: ${doing}`, why: `SQLSTATE ${state}` })
  const code = CODES[state] ?? 'WAREHOUSE_STATEMENT_FAILED'
  const why = NAMES_ONLY.has(state.slice(0, 2)) ? `${error.message} (SQLSTATE ${state})` : `SQLSTATE ${state}`
  return fail(code, { what: `The warehouse could not ${doing}`, why })
}
