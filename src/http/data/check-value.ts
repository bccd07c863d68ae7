import type { PortType } from '../../platform/port-read.ts'

const INTEGER = /^[+-]?\d{1,40}$/
const DECIMAL = /^[+-]?(\d{1,1000}(\.\d{0,1000})?|\.\d{1,1000})([eE][+-]?\d{1,3})?$/
const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?$/
const ZONE = /(?:Z|[+-](\d{2}):(\d{2}))$/
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i
const WHOLE: Partial<Record<PortType, bigint>> = { smallint: 1n << 15n, integer: 1n << 31n, bigint: 1n << 63n }

/** What a value of the type must look like, in words for whoever wrote another. */
export const FORMS: Record<PortType, string> = {
  smallint: 'a whole number from -32768 to 32767',
  integer: 'a whole number of 32 bits',
  bigint: 'a whole number of 64 bits',
  numeric: 'a number such as -12.5',
  real: 'a number such as -12.5, NaN or Infinity',
  'double precision': 'a number such as -12.5, NaN or Infinity',
  boolean: 'true or false',
  text: 'a text',
  'character varying': 'a text',
  character: 'a text',
  date: 'a date such as 2013-01-31',
  'timestamp with time zone': 'a time such as 2013-01-31T08:30:00Z (a plus sign of an offset is written %2B)',
  'timestamp without time zone': 'a time such as 2013-01-31T08:30:00',
  'time without time zone': 'a time of day such as 08:30:00',
  uuid: 'a UUID',
}

export function isText(type: PortType): boolean {
  return type === 'text' || type === 'character varying' || type === 'character'
}

/** Would PostgreSQL read the text as a value of the type? Stricter than it, so that it never has to complain, and quote what it was given. */
export function isValue(text: string, type: PortType): boolean {
  switch (type) {
    case 'smallint':
    case 'integer':
    case 'bigint':
      return INTEGER.test(text) && fits(BigInt(text.replace(/^\+/, '')), WHOLE[type]!)
    case 'numeric':
      return DECIMAL.test(text)
    case 'real':
    case 'double precision':
      return /^(NaN|-?Infinity)$/.test(text) || (DECIMAL.test(text) && isFloat(text, type === 'real' ? Math.fround : Number))
    case 'boolean':
      return text === 'true' || text === 'false'
    case 'date':
      return isDate(text)
    case 'timestamp with time zone':
      return isTimestamp(text.replace(ZONE, ''), ZONE.exec(text))
    case 'timestamp without time zone':
      return isTimestamp(text, null)
    case 'time without time zone':
      return isTime(text)
    case 'uuid':
      return UUID.test(text)
    default:
      return true
  }
}

function fits(value: bigint, half: bigint): boolean {
  return value >= -half && value < half
}

/** Neither too large nor too small: PostgreSQL refuses both. */
function isFloat(text: string, round: (value: number) => number): boolean {
  const value = round(Number(text))
  return Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(text.replace(/[eE].*$/, '')))
}

function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text)?.map(Number) ?? []
  if (year === undefined || year < 1) return false
  const days = new Date(Date.UTC(2000 + (year % 400), month!, 0)).getUTCDate()
  return month! >= 1 && month! <= 12 && day! >= 1 && day! <= days
}

function isTime(text: string): boolean {
  const [, hour, minute, second] = TIME.exec(text) ?? []
  return hour !== undefined && Number(hour) < 24 && Number(minute) < 60 && Number(second ?? 0) < 60
}

function isTimestamp(text: string, zone: RegExpExecArray | null): boolean {
  if (zone?.[1] !== undefined && (Number(zone[1]) > 15 || Number(zone[2]) > 59)) return false
  const [date, time, ...more] = text.split(/[T ]/)
  return more.length === 0 && isDate(date!) && (time === undefined ? zone === null : isTime(time))
}
