/**
 * Days and microseconds since 1970 of PostgreSQL's texts, and back. By hand: `Date` ends in the year 275,760 and knows milliseconds, PostgreSQL goes further
 * on both sides. Both count the Gregorian calendar backwards. `infinity` is the greatest, `-infinity` the least number, as inside PostgreSQL.
 */
const DAY_MICROS = 86_400_000_000n
const INT32 = { infinity: 2 ** 31 - 1, '-infinity': -(2 ** 31) }
const INT64 = { infinity: 2n ** 63n - 1n, '-infinity': -(2n ** 63n) }
const STAMP = /^(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?(?:\+00)?( BC)?$/

export function daysOf(text: string): number {
  if (text === 'infinity' || text === '-infinity') return INT32[text]
  return split(text).days
}

export function microsOf(text: string): bigint {
  if (text === 'infinity' || text === '-infinity') return INT64[text]
  const { days, micros } = split(text)
  return BigInt(days) * DAY_MICROS + micros
}

export function textOfDays(days: number): string {
  if (days === INT32.infinity) return 'infinity'
  if (days === INT32['-infinity']) return '-infinity'
  const { date, era } = civil(days)
  return `${date}${era}`
}

export function textOfMicros(micros: bigint, hasZone: boolean): string {
  if (micros === INT64.infinity) return 'infinity'
  if (micros === INT64['-infinity']) return '-infinity'
  const inDay = ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS
  const { date, era } = civil(Number((micros - inDay) / DAY_MICROS))
  const seconds = Number(inDay / 1_000_000n)
  const time = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map(twoDigits).join(':')
  const fraction = String(inDay % 1_000_000n)
    .padStart(6, '0')
    .replace(/0+$/, '')
  return `${date} ${time}${fraction ? `.${fraction}` : ''}${hasZone ? '+00' : ''}${era}`
}

function split(text: string): { days: number; micros: bigint } {
  const [, year, month, day, hours = 0, minutes = 0, seconds = 0, fraction = '', era] = STAMP.exec(text)!
  const micros =
    BigInt(Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'))
  return { days: daysFromCivil(era ? 1 - Number(year) : Number(year), Number(month), Number(day)), micros }
}

/** Years are counted from March, so that a leap day is the last day of its year; 400 years have 146,097 days. */
function daysFromCivil(year: number, month: number, day: number): number {
  const fromMarch = month <= 2 ? year - 1 : year
  const era = Math.floor(fromMarch / 400)
  const inEra = fromMarch - era * 400
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1
  return era * 146_097 + inEra * 365 + Math.floor(inEra / 4) - Math.floor(inEra / 100) + dayOfYear - 719_468
}

function civil(days: number): { date: string; era: '' | ' BC' } {
  const shifted = days + 719_468
  const era = Math.floor(shifted / 146_097)
  const inEra = shifted - era * 146_097
  const yearOfEra = Math.floor(
    (inEra - Math.floor(inEra / 1460) + Math.floor(inEra / 36_524) - Math.floor(inEra / 146_096)) / 365,
  )
  const dayOfYear = inEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153)
  const month = ((fromMarch + 2) % 12) + 1
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  const shown = String(year > 0 ? year : 1 - year).padStart(4, '0')
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1
  return { date: `${shown}-${twoDigits(month)}-${twoDigits(day)}`, era: year > 0 ? '' : ' BC' }
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
