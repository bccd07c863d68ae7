import { fail } from '../core/fail.ts'

/** PostgreSQL cuts longer names silently, so two long names could become one. */
const NAME_LIMIT = 63

/**
 * A PostgreSQL identifier, always quoted: `ident('a"b') === '"a""b"'`.
 * @throws SQL_NAME_INVALID when empty, longer than 63 bytes or holding NUL
 */
export function ident(name: string): string {
  if (name.length === 0 || name.includes('\0') || Buffer.byteLength(name) > NAME_LIMIT || !name.isWellFormed())
    throw fail('SQL_NAME_INVALID', { what: `${JSON.stringify(name.slice(0, 80))} cannot be a name in SQL` })
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * A PostgreSQL literal. Texts with a backslash become `E'…'`, so the meaning does not hang on `standard_conforming_strings`.
 * @throws SQL_LITERAL_INVALID for NUL, lone surrogates and numbers that are not finite
 */
export function literal(value: string | number | bigint | boolean | null): string {
  if (value === null) return 'NULL'
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value === 'bigint') return signed(value.toString())
  if (typeof value === 'number') {
    if (!Number.isFinite(value))
      throw fail('SQL_LITERAL_INVALID', { what: 'A number that is not finite cannot be written in SQL' })
    return signed(Object.is(value, -0) ? '0' : String(value))
  }
  if (value.includes('\0') || !value.isWellFormed())
    throw fail('SQL_LITERAL_INVALID', { what: 'A text with NUL or broken Unicode cannot be written in SQL' })
  const doubled = value.replaceAll("'", "''")
  return value.includes('\\') ? `E'${doubled.replaceAll('\\', '\\\\')}'` : `'${doubled}'`
}

/** `- -1` would start a comment when written behind a minus. */
function signed(text: string): string {
  return text.startsWith('-') ? `(${text})` : text
}
