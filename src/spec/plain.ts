/** Reading plain data whose shape the schema has judged elsewhere: a wrong shape reads as nothing, so rules can go on and find the rest. */
export type Plain = Record<string, unknown>

export function record(value: unknown): Plain {
  return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Plain) : {}
}
export function array(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
export function records(value: unknown): Plain[] {
  return array(value).map(record)
}
export function strings(value: unknown): string[] {
  return array(value).filter((item): item is string => typeof item === 'string')
}
export function textOr<T>(value: unknown, fallback: T): string | T {
  return typeof value === 'string' ? value : fallback
}
export function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
