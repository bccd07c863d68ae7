import type { Diagnostic } from '../../core/diagnostic.ts'
import { ERRORS, type ErrorCode } from '../../core/errors.ts'

/** A row of `heddle.verify_build`. */
export type Finding = { code: string; object: string; detail: string }

/** Why each matters: what a reader of the table would run, see or lose. The remedy is the registry's. */
const WHY: Partial<Record<ErrorCode, string>> = {
  VERIFY_PORT_MISSING: 'Consumers would lose the object.',
  VERIFY_PORT_NOT_A_TABLE: "A view's functions run with the rights of whoever reads it, so only tables are served.",
  VERIFY_COLUMN_MISSING: 'The contract promises it to consumers.',
  VERIFY_COLUMN_TYPE: 'Consumers rely on the type in the contract.',
  VERIFY_FOREIGN_OBJECT: 'It could change or run after the data is sealed.',
  VERIFY_OWNED_ELSEWHERE: 'Somebody else could change it after the data is sealed.',
  VERIFY_DEFAULT_PRIVILEGES: 'Tables of later runs would be granted behind the platform.',
  VERIFY_ROLE_SETTING: 'It would steer later runs.',
  VERIFY_UNLOGGED: 'After a crash of the database consumers would read no rows.',
  VERIFY_TRIGGER: 'It would run in sessions of others.',
  VERIFY_RULE: 'It would run in sessions of others.',
  VERIFY_RLS: 'Its expressions would run with the rights of whoever reads the table.',
  VERIFY_DEFAULT: 'Its expression belongs to the product and would live on in the sealed table.',
  VERIFY_COLUMN_TYPE_OWN: 'Its owner can change what published values mean.',
  VERIFY_CONSTRAINT: 'A reference could delete published rows; a check runs code of the product.',
  VERIFY_INHERITANCE: 'A child could add rows after the data is sealed.',
  VERIFY_INDEX_EXPRESSION: 'Its functions run when others read the table.',
  VERIFY_GRANTED: 'Access comes from agreements, and grants survive the seal.',
  VERIFY_SESSION_OPEN: 'What is verified could change before it is sealed.',
}

export function toDiagnostic({ code, object, detail }: Finding): Diagnostic {
  const known = code as ErrorCode
  const row = ERRORS[known]
  const why = WHY[known]
  return { severity: 'error', code: known, what: `${object}: ${detail}`, ...(why && { why }), fix: row.remedy }
}
