import type { Column, OutputPort } from './types.ts'

const LEVELS = ['public', 'internal', 'confidential', 'restricted'] as const
type Level = (typeof LEVELS)[number]

export function isAtLeast(level: string | null, floor: Level): boolean {
  return level !== null && LEVELS.indexOf(level as Level) >= LEVELS.indexOf(floor)
}

/** Does every consumer see something else than the stored value? An exemption of the consumer role undoes a mask. */
export function isMasked(port: OutputPort, object: string, column: string): boolean {
  return port.masks.some(
    (mask) =>
      mask.object === object && mask.column === column && !mask.exempt.some((one) => 'role' in one && one.role === 'consumer'),
  )
}

export function isFiltered(port: OutputPort, object: string): boolean {
  return port.rowFilters.some(
    (filter) => filter.object === object && !filter.exempt.some((one) => 'role' in one && one.role === 'consumer'),
  )
}

/** The direct identifiers of 45 CFR 164.514(e)(2), by the words their columns are usually named with. */
const IDENTIFIER =
  /(^|_)(ssn|social_security(_number)?|mrn|medical_record(_number|_no)?|email|e_mail|mail_address|phone|telephone|mobile|fax|street|street_address|address|address_line_?\d?|first_?name|last_?name|given_?name|family_?name|full_?name|middle_?name|maiden_?name|surname|patient_?name|person_?name|account_(number|no)|license_(number|no)|licence_(number|no)|passport(_number|_no)?|health_plan_(number|id)|beneficiary_(number|id)|device_(serial|id)|license_plate|ip|ip_address|biometric|fingerprint|photo|face_image|iban|credit_card(_number)?)($|_)/
const PERSONAL = /(^|_)(birth|birth_?date|date_of_birth|dob|birthday|gender|ethnicity|religion)($|_)/
const PERSON = /(^|_)(patient|person|people|customer|employee|user|member|contact|passenger|staff|physician)s?($|_)/

export function isDirectIdentifier(object: string, column: Column): boolean {
  if (column.tags.includes('direct-identifier')) return true
  if (column.tags.includes('not-pii')) return false
  return namesPerson(object, column.name) || IDENTIFIER.test(snake(column.name))
}

export function looksPersonal(object: string, column: Column): boolean {
  return isDirectIdentifier(object, column) || PERSONAL.test(snake(column.name))
}

/** A bare `name` is a person's only where the object is about people. */
function namesPerson(object: string, column: string): boolean {
  return snake(column) === 'name' && PERSON.test(snake(object))
}

function snake(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll('-', '_')
}
