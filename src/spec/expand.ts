import { copyPlaces, type Located, type Place } from './located.ts'
import { array, type Plain, record, records, strings, text } from './plain.ts'
import { highestVersion } from './semver.ts'
import { componentsOf, policiesOf } from './view.ts'

export type ExpandContext = { domainOwners: readonly string[] }
/** Hand-written contracts by path. */
export type Contracts = ReadonlyMap<string, Located>

/**
 * Short forms and defaults written out: the result is a spec in the long form that means the same. What was generated stands where the thing it was
 * generated from stands.
 */
export function expandSpec(document: Located, contracts: Contracts, context: ExpandContext): Located {
  const expanded: Located = { source: document.source, value: structuredClone(document.value), places: new Map(document.places) }
  for (const component of componentsOf(expanded)) expandComponent(expanded, component.pointer, contracts)
  expandPolicies(expanded, context)
  expandMetadata(expanded)
  return expanded
}

export type NamedObject = { name: string; pointer: string; document: Located; value: Plain }

/** The objects of a port's contract, wherever it is written. */
export function contractObjects(document: Located, pointer: string, properties: Plain, contracts: Contracts): NamedObject[] {
  if (typeof properties.source === 'string') {
    const source = componentsOf(document).find(
      (component) => component.name === properties.source && component.type === 'sql-output-port',
    )
    if (source && source.pointer !== pointer) return contractObjects(document, source.pointer, source.properties, contracts)
  }
  const referred = typeof properties.contractRef === 'string' ? contracts.get(properties.contractRef) : undefined
  const from = referred ?? document
  const base = referred ? '/schema' : `${pointer}/properties/contract/schema`
  const schema = referred ? record(referred.value).schema : record(properties.contract).schema
  return records(schema).map((value, i) => ({ name: text(value.name), pointer: `${base}/${i}`, document: from, value }))
}

function expandComponent(expanded: Located, pointer: string, contracts: Contracts): void {
  const component = record(array(record(record(expanded.value).spec).components)[Number(pointer.split('/').at(-1))])
  const type = text(component.type)
  const properties = record(component.properties)
  if (component.properties !== undefined || type === 'dbt-transformation') component.properties = properties
  if (type === 'dbt-transformation') setDefaults(properties, { projectDir: 'dbt', failOn: 'error' })
  for (const item of array(component.traits)) {
    const trait = record(item)
    if (trait.type === 'trigger') expandTrigger(record(trait.properties))
  }
  if (!type.endsWith('-output-port')) return
  setDefaults(properties, { port: component.name })
  setDefaults(properties, { title: titleOf(text(properties.port)) })
  for (const object of records(record(properties.contract).schema)) setDefaults(object, { from: object.name })
  const objects = contractObjects(expanded, pointer, properties, contracts).map((object) => object.name)
  for (const [j, item] of array(component.traits).entries()) {
    const trait = record(item)
    const at = `${pointer}/traits/${j}/properties`
    if (trait.type === 'service-level') expandServiceLevels(expanded, record(trait.properties), at, objects)
    if (trait.type === 'data-policy') expandFilters(expanded, record(trait.properties), at, objects)
  }
}

function expandTrigger(trigger: Plain): void {
  if (trigger.cron !== undefined) setDefaults(record(trigger.cron), { timeZone: 'UTC' })
  if (trigger.events !== undefined) setDefaults(record(trigger.events), { match: 'all' })
}

type Placed = { value: Plain; from: string }

function expandServiceLevels(expanded: Located, properties: Plain, at: string, objects: readonly string[]): void {
  const wanted = text(properties.object) || '*'
  const window = text(properties.window) || '20d'
  const named = wanted === '*' ? objects : [wanted]
  const placed: Placed[] = []
  for (const object of named) {
    const prefix = named.length > 1 ? `${object.toLowerCase().replaceAll('_', '-')}-` : ''
    for (const kind of ['availability', 'completeness', 'freshness'] as const)
      if (properties[kind] !== undefined)
        placed.push({
          value: longServiceLevel(kind, `${prefix}${kind}`, object, properties[kind], window),
          from: `${at}/${kind}`,
        })
  }
  for (const [k, slo] of records(properties.slos).entries()) {
    const source = record(record(record(slo.indicator).thresholdMetric).metricSource)
    const from = `${at}/slos/${k}`
    if (record(source.spec).object !== '*') placed.push({ value: slo, from })
    else
      for (const object of objects) {
        const copy = structuredClone(slo)
        record(record(record(record(copy.indicator).thresholdMetric).metricSource).spec).object = object
        if (objects.length > 1) copy.name = `${object.toLowerCase().replaceAll('_', '-')}-${text(slo.name)}`
        placed.push({ value: copy, from })
      }
  }
  for (const key of ['object', 'window', 'availability', 'completeness', 'freshness']) delete properties[key]
  if (placed.length > 0 || properties.slos !== undefined) placeList(expanded, properties, 'slos', at, placed)
}

function longServiceLevel(
  kind: 'availability' | 'completeness' | 'freshness',
  name: string,
  object: string,
  short: unknown,
  window: string,
): Plain {
  const given = record(short)
  const timeWindow = [{ duration: window, isRolling: true }]
  const indicator = (spec: Plain) => ({ thresholdMetric: { metricSource: { type: kind, spec: { object, ...spec } } } })
  if (kind === 'availability')
    return {
      name,
      indicator: indicator({}),
      budgetingMethod: 'Timeslices',
      timeWindow,
      objectives: [{ op: 'gte', value: 1, targetPercent: percentOf(short, 99), timeSliceTarget: 1, timeSliceWindow: '1h' }],
    }
  if (kind === 'completeness')
    return {
      name,
      indicator: indicator({
        of: given.of ?? 'total',
        baseline: { statistic: given.against ?? 'mean', window, minSamples: given.against === 'last' ? 1 : 5 },
      }),
      budgetingMethod: 'Occurrences',
      timeWindow,
      objectives: [{ op: 'gte', value: round(1 - percentOf(given.within, 5) / 100), targetPercent: percentOf(given.target, 95) }],
    }
  const found = /^(\d+)([smhdw])$/.exec(text(given.threshold))
  const [value, unit] = found ? thresholdIn(Number(found[1]), found[2]!) : [24, 'h']
  return {
    name,
    indicator: indicator({ ...(given.element !== undefined && { element: given.element }), unit }),
    budgetingMethod: 'Timeslices',
    timeWindow,
    objectives: [{ op: 'lte', value, targetPercent: percentOf(given.target, 95), timeSliceTarget: 1, timeSliceWindow: '1h' }],
  }
}

function thresholdIn(amount: number, unit: string): [number, 'm' | 'h' | 'd'] {
  if (unit === 's') return [round(amount / 60), 'm']
  if (unit === 'w') return [amount * 7, 'd']
  return [amount, unit as 'm' | 'h' | 'd']
}

function expandFilters(expanded: Located, properties: Plain, at: string, objects: readonly string[]): void {
  const placed: Placed[] = []
  for (const [k, filter] of records(properties.rowFilters).entries()) {
    const wanted = filter.object === undefined || filter.object === '*' ? objects : [text(filter.object)]
    for (const object of wanted) placed.push({ value: { ...structuredClone(filter), object }, from: `${at}/rowFilters/${k}` })
  }
  if (properties.rowFilters !== undefined) placeList(expanded, properties, 'rowFilters', at, placed)
}

/** Puts a list in, each item at the place it came from. */
function placeList(expanded: Located, owner: Plain, key: string, at: string, items: Placed[]): void {
  const moved = new Map<string, Place>()
  for (const [i, item] of items.entries()) copyPlaces(expanded.places, moved, item.value, item.from, `${at}/${key}/${i}`)
  owner[key] = items.map((item) => item.value)
  for (const [pointer, place] of moved) expanded.places.set(pointer, place)
}

function expandPolicies(expanded: Located, { domainOwners }: ExpandContext): void {
  const root = record(record(expanded.value).spec)
  const metadata = record(record(expanded.value).metadata)
  const policies = array(root.policies)
  root.policies = policies
  const ports = componentsOf(expanded).filter((component) => component.definition?.role === 'output-port')
  const portNames = ports.map((port) => port.name)
  const product = ensurePolicy(policies, 'data-product', 'product')
  setDefaults(product, {
    title: titleOf(text(metadata.name)),
    status: 'draft',
    approvers: ['owner'],
    team: { name: text(metadata.namespace), members: domainOwners.map((username) => ({ username, role: 'owner' })) },
  })
  product.description = record(product.description)
  setDefaults(record(product.description), { purpose: text(record(metadata.annotations).description) })
  const approvers = strings(product.approvers)
  const access = ensurePolicy(policies, 'access-control', 'roles')
  access.roles = completeRoles(array(access.roles), portNames, domainOwners, approvers)
  for (const { properties } of policiesOf(expanded, 'data-sharing-agreement')) {
    setDefaults(properties, { selector: portNames, contact: domainOwners[0] ?? '', terms: { version: '1' }, onExpiry: 'revoke' })
    const given = record(properties.approvers)
    properties.approvers = { ...given, firstLevel: given.firstLevel ?? approvers }
    const duration = record(properties.duration)
    setDefaults(duration, { default: duration.max, renewable: true })
  }
}

function completeRoles(roles: unknown[], ports: string[], owners: readonly string[], approvers: string[]): unknown[] {
  const complete = [...roles]
  const has = (role: string) => records(roles).some((binding) => binding.role === role)
  if (!has('consumer')) complete.push({ role: 'consumer', access: 'read', selector: ports })
  if (!has('service')) complete.push({ role: 'service', access: 'write' })
  if (!has('owner')) complete.push({ role: 'owner', access: 'admin', principals: [...owners] })
  for (const binding of records(complete)) {
    if (binding.role === 'consumer') setDefaults(binding, { selector: ports })
    setDefaults(binding, { firstLevelApprovers: approvers })
  }
  return complete
}

function ensurePolicy(policies: unknown[], type: string, name: string): Plain {
  let policy = records(policies).find((candidate) => candidate.type === type)
  if (!policy) {
    policy = { name, type, properties: {} }
    policies.push(policy)
  }
  policy.properties = record(policy.properties)
  return policy.properties as Plain
}

function expandMetadata(expanded: Located): void {
  const metadata = record(record(expanded.value).metadata)
  if (record(expanded.value).metadata === undefined) return
  metadata.annotations = record(metadata.annotations)
  const versions = componentsOf(expanded).flatMap((component) =>
    component.definition?.role === 'output-port' && typeof component.properties.version === 'string'
      ? [component.properties.version]
      : [],
  )
  setDefaults(record(metadata.annotations), { version: highestVersion(versions) ?? '0.1.0' })
}

function setDefaults(target: Plain, defaults: Plain): void {
  for (const [key, value] of Object.entries(defaults)) if (target[key] === undefined && value !== undefined) target[key] = value
}

/** `patient-encounters` → `Patient encounters` */
function titleOf(name: string): string {
  const words = name.replaceAll(/[-_]+/g, ' ').trim()
  return words.slice(0, 1).toUpperCase() + words.slice(1)
}

function percentOf(value: unknown, fallback: number): number {
  const found = /^(\d+(?:\.\d+)?)%$/.exec(text(value))
  return found ? Number(found[1]) : fallback
}

function round(value: number): number {
  return Math.round(value * 1e8) / 1e8
}
