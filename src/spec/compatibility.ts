import { compareTypes } from './compare-types.ts'
import { type Bump, bumpBetween, readVersion } from './semver.ts'
import type { Column, DataObject, Offer, OutputPort, ProductSpec, QualityRule, ServiceLevel } from './types.ts'

export type CompatibilityRule =
  | 'PORT_REMOVED'
  | 'OBJECT_REMOVED'
  | 'COLUMN_REMOVED'
  | 'COLUMN_TYPE_CHANGED'
  | 'COLUMN_TYPE_NARROWED'
  | 'COLUMN_TYPE_WIDENED'
  | 'COLUMN_NOW_NULLABLE'
  | 'COLUMN_NOW_REQUIRED'
  | 'KEY_DROPPED'
  | 'ENUM_VALUE_ADDED'
  | 'ENUM_VALUE_REMOVED'
  | 'OBJECT_ADDED'
  | 'COLUMN_ADDED'
  | 'SLO_LOOSENED'
  | 'QUALITY_RELAXED'
  | 'ACCESS_TIGHTENED'
  | 'PROTECTION_LOWERED'
  | 'TERMS_CHANGED'
  | 'VERSION_TOO_LOW'

/** breaking: consumers must act · dangerous: consumers should look · safe: nobody notices · error: cannot be deployed */
export type CompatibilityFinding = {
  rule: CompatibilityRule
  level: 'breaking' | 'dangerous' | 'safe' | 'error'
  /** what the port's version must at least do */
  bump: Bump
  /** name of the port, or of the offer for terms */
  port: string
  /** object or object.column, where it is about one */
  path: string | null
  what: string
  was: string | null
  is: string | null
}

export type CompatibilityContext = {
  /** ports that active agreements name: for them a loosened service level is breaking */
  portsWithAgreements: readonly string[]
}

/**
 * Compares what consumers read now with what the new spec would give them: ports by name and major. A new major beside the old one is no change; a major
 * that replaces the old one is (its consumers lose it).
 */
export function compareSpecs(published: ProductSpec, next: ProductSpec, context: CompatibilityContext): CompatibilityFinding[] {
  const findings: CompatibilityFinding[] = []
  for (const was of published.outputs) {
    const is = next.outputs.find((port) => port.port === was.port && port.major === was.major)
    if (is) findings.push(...comparePorts(was, is, context.portsWithAgreements.includes(was.port)))
    else
      findings.push(
        finding(
          'PORT_REMOVED',
          'breaking',
          'major',
          was.port,
          null,
          `version ${was.major} of the port ${was.port} is gone`,
          was.version,
          next.outputs.find((port) => port.port === was.port)?.version ?? null,
        ),
      )
  }
  for (const was of published.offers) {
    const is = next.offers.find((offer) => offer.name === was.name)
    findings.push(...compareOffers(was, is))
  }
  return findings
}

/** @returns findings for one port, VERSION_TOO_LOW among them when the version does not go up far enough */
export function comparePorts(was: OutputPort, is: OutputPort, hasAgreements: boolean): CompatibilityFinding[] {
  const findings: CompatibilityFinding[] = []
  const say = sayFor(is.port, findings)
  for (const object of was.objects) {
    const now = is.objects.find((candidate) => candidate.name === object.name)
    if (now) compareObjects(object, now, say)
    else say('OBJECT_REMOVED', 'breaking', 'major', object.name, `the object ${object.name} is gone`, object.name, null)
  }
  for (const object of is.objects)
    if (!was.objects.some((candidate) => candidate.name === object.name))
      say('OBJECT_ADDED', 'safe', 'minor', object.name, `the object ${object.name} is new`, null, object.name)
  compareServiceLevels(was.serviceLevels, is.serviceLevels, hasAgreements, say)
  comparePolicies(was, is, say)
  const needed = highestBump(findings.map((found) => found.bump))
  const from = readVersion(was.version)
  const to = readVersion(is.version)
  if (from && to && needed !== 'none' && rank(bumpBetween(from, to)) < rank(needed))
    findings.push(
      finding(
        'VERSION_TOO_LOW',
        'error',
        needed,
        is.port,
        null,
        `the changes need a ${needed} version above ${was.version}`,
        was.version,
        is.version,
      ),
    )
  return findings
}

type Say = (
  rule: CompatibilityRule,
  level: CompatibilityFinding['level'],
  bump: Bump,
  path: string | null,
  what: string,
  was: string | null,
  is: string | null,
) => void

function sayFor(port: string, findings: CompatibilityFinding[]): Say {
  return (rule, level, bump, path, what, was, is) => findings.push(finding(rule, level, bump, port, path, what, was, is))
}

function compareObjects(was: DataObject, is: DataObject, say: Say): void {
  for (const column of was.columns) {
    const path = `${was.name}.${column.name}`
    const now = is.columns.find((candidate) => candidate.name === column.name)
    if (now) compareColumns(path, column, now, say)
    else say('COLUMN_REMOVED', 'breaking', 'major', path, `the column ${path} is gone`, column.logicalType, null)
  }
  for (const column of is.columns) {
    const path = `${is.name}.${column.name}`
    if (!was.columns.some((candidate) => candidate.name === column.name))
      say('COLUMN_ADDED', 'safe', 'minor', path, `the column ${path} is new`, null, column.logicalType)
  }
  const keyOf = (object: DataObject) => object.columns.filter((column) => column.primaryKey).map((column) => column.name)
  const [before, after] = [keyOf(was).join(', '), keyOf(is).join(', ')]
  if (before !== '' && before !== after)
    say('KEY_DROPPED', 'breaking', 'major', was.name, `the key of ${was.name} changes`, before, after || null)
  compareQuality(was, is, say)
}

function compareColumns(path: string, was: Column, is: Column, say: Say): void {
  const change = compareTypes(was, is)
  const [before, after] = [was.physicalType ?? was.logicalType, is.physicalType ?? is.logicalType]
  if (change === 'changed') say('COLUMN_TYPE_CHANGED', 'breaking', 'major', path, `the type of ${path} changes`, before, after)
  if (change === 'narrowed')
    say('COLUMN_TYPE_NARROWED', 'breaking', 'major', path, `the type of ${path} gets narrower`, before, after)
  if (change === 'widened')
    say('COLUMN_TYPE_WIDENED', 'dangerous', 'minor', path, `the type of ${path} gets wider`, before, after)
  if (was.required && !is.required)
    say('COLUMN_NOW_NULLABLE', 'breaking', 'major', path, `${path} may be null`, 'required', 'optional')
  if (!was.required && is.required)
    say('COLUMN_NOW_REQUIRED', 'safe', 'minor', path, `${path} is never null`, 'optional', 'required')
  if (was.unique && !is.unique) say('KEY_DROPPED', 'breaking', 'major', path, `${path} is no longer unique`, 'unique', null)
  const raised = rankOf(is.classification) - rankOf(was.classification)
  if (raised > 0)
    say('ACCESS_TIGHTENED', 'breaking', 'major', path, `${path} is classified higher`, was.classification, is.classification)
  if (raised < 0)
    say('PROTECTION_LOWERED', 'dangerous', 'minor', path, `${path} is classified lower`, was.classification, is.classification)
  for (const tag of ['pii', 'phi'])
    if (was.tags.includes(tag) && !is.tags.includes(tag))
      say('PROTECTION_LOWERED', 'dangerous', 'minor', path, `${path} is no longer tagged ${tag}`, tag, null)
}

function compareQuality(was: DataObject, is: DataObject, say: Say): void {
  for (const rule of was.quality) {
    const now = is.quality.find((candidate) => candidate.id === rule.id)
    const path = was.name
    if (!now) {
      say('QUALITY_RELAXED', 'dangerous', 'minor', path, `the quality rule ${rule.id} of ${path} is gone`, rule.operator, null)
      continue
    }
    if (rule.severity === 'error' && now.severity === 'warning')
      say('QUALITY_RELAXED', 'dangerous', 'minor', path, `the quality rule ${rule.id} of ${path} only warns`, 'error', 'warning')
    const [before, after] = [validValues(rule), validValues(now)]
    for (const value of after.filter((one) => !before.includes(one) && before.length > 0))
      say('ENUM_VALUE_ADDED', 'dangerous', 'minor', path, `the quality rule ${rule.id} of ${path} allows ${value}`, null, value)
    for (const value of before.filter((one) => !after.includes(one) && after.length > 0))
      say(
        'ENUM_VALUE_REMOVED',
        'safe',
        'minor',
        path,
        `the quality rule ${rule.id} of ${path} no longer allows ${value}`,
        value,
        null,
      )
    if (isRelaxed(rule, now))
      say(
        'QUALITY_RELAXED',
        'dangerous',
        'minor',
        path,
        `the quality rule ${rule.id} of ${path} asks for less`,
        operandsOf(rule),
        operandsOf(now),
      )
  }
}

/** Only what is certainly no weaker counts as kept. */
function isRelaxed(was: QualityRule, is: QualityRule): boolean {
  if (was.operator !== is.operator) return true
  const [a = 0, b = 0] = was.operands
  const [c = 0, d = 0] = is.operands
  switch (was.operator) {
    case 'mustBeGreaterThan':
    case 'mustBeGreaterOrEqualTo':
      return c < a
    case 'mustBeLessThan':
    case 'mustBeLessOrEqualTo':
      return c > a
    case 'mustBeBetween':
      return c < a || d > b
    case 'mustNotBeBetween':
      return c > a || d < b
    default:
      return a !== c
  }
}

function compareServiceLevels(was: readonly ServiceLevel[], is: readonly ServiceLevel[], hasAgreements: boolean, say: Say): void {
  const level = hasAgreements ? 'breaking' : 'dangerous'
  const bump = hasAgreements ? 'major' : 'minor'
  const loosened = (path: string, what: string, before: string, after: string | null) =>
    say('SLO_LOOSENED', level, bump, path, what, before, after)
  for (const old of was) {
    const now = is.find(
      (candidate) =>
        candidate.kind === old.kind &&
        candidate.object === old.object &&
        (candidate.name === old.name || is.filter((one) => one.kind === old.kind && one.object === old.object).length === 1),
    )
    if (!now) {
      loosened(old.object, `the service level ${old.name} is gone`, old.name, null)
      continue
    }
    if (now.target < old.target)
      loosened(old.object, `the target of ${old.name} is lower`, String(old.target), String(now.target))
    if (now.windowMs < old.windowMs)
      loosened(old.object, `the window of ${old.name} is shorter`, String(old.windowMs), String(now.windowMs))
    if (old.kind === 'freshness' && now.kind === 'freshness' && now.thresholdMs > old.thresholdMs)
      loosened(old.object, `${old.name} allows older data`, String(old.thresholdMs), String(now.thresholdMs))
    if (old.kind === 'completeness' && now.kind === 'completeness' && now.within > old.within)
      loosened(old.object, `${old.name} allows more missing rows`, String(old.within), String(now.within))
  }
}

function comparePolicies(was: OutputPort, is: OutputPort, say: Say): void {
  const filters = (port: OutputPort) =>
    new Map(
      port.rowFilters.map((filter) => [`${filter.object}/${filter.name}`, JSON.stringify([filter.condition, filter.exempt])]),
    )
  const masks = (port: OutputPort) =>
    new Map(
      port.masks.map((mask) => [`${mask.object}.${mask.column}`, JSON.stringify([mask.method, mask.arguments, mask.exempt])]),
    )
  for (const [noun, before, after] of [
    ['row filter', filters(was), filters(is)],
    ['mask', masks(was), masks(is)],
  ] as const) {
    for (const [path, text] of before) {
      const now = after.get(path)
      if (now === undefined) say('PROTECTION_LOWERED', 'dangerous', 'minor', path, `the ${noun} of ${path} is gone`, noun, null)
      else if (now !== text) {
        // Whether it is stricter or weaker cannot be told in general: consumers and owners both look.
        say('ACCESS_TIGHTENED', 'breaking', 'major', path, `the ${noun} of ${path} changes`, noun, noun)
        say('PROTECTION_LOWERED', 'dangerous', 'minor', path, `the ${noun} of ${path} changes`, noun, noun)
      }
    }
    for (const path of after.keys())
      if (!before.has(path) && isKnown(was, path))
        say('ACCESS_TIGHTENED', 'breaking', 'major', path, `${path} gets a ${noun}`, null, noun)
  }
}

/** A mask or filter over something new takes nothing away. */
function isKnown(was: OutputPort, path: string): boolean {
  const [object, column] = path.split(/[./]/)
  const known = was.objects.find((candidate) => candidate.name === object)
  return known !== undefined && (path.includes('/') || known.columns.some((candidate) => candidate.name === column))
}

function compareOffers(was: Offer, is: Offer | undefined): CompatibilityFinding[] {
  if (!is) return [finding('TERMS_CHANGED', 'breaking', 'none', was.name, null, `the offer ${was.name} is gone`, was.name, null)]
  const terms = (offer: Offer) =>
    JSON.stringify([offer.purposes, offer.prohibitedUses, offer.obligations, offer.terms, offer.maxMs])
  return terms(was) === terms(is)
    ? []
    : [
        finding(
          'TERMS_CHANGED',
          'breaking',
          'none',
          was.name,
          null,
          `the terms of ${was.name} change: consumers accept again`,
          was.terms.version,
          is.terms.version,
        ),
      ]
}

function finding(
  rule: CompatibilityRule,
  level: CompatibilityFinding['level'],
  bump: Bump,
  port: string,
  path: string | null,
  what: string,
  was: string | null,
  is: string | null,
): CompatibilityFinding {
  return { rule, level, bump, port, path, what, was, is }
}

function validValues(rule: QualityRule): string[] {
  return rule.check.kind === 'library' ? (rule.check.validValues ?? []) : []
}

function operandsOf(rule: QualityRule): string {
  return `${rule.operator} ${rule.operands.join(', ')}`
}

const BUMPS: readonly Bump[] = ['none', 'patch', 'minor', 'major']
const rank = (bump: Bump) => BUMPS.indexOf(bump)
const highestBump = (bumps: readonly Bump[]): Bump => BUMPS[Math.max(0, ...bumps.map(rank))]!
const rankOf = (classification: Column['classification']) =>
  ['public', 'internal', 'confidential', 'restricted'].indexOf(classification ?? 'internal')
