import { readDuration } from '../core/duration.ts'
import { parseFilter } from '../policy/parse.ts'
import type { Exemption, Mask, MaskMethod, RowFilter } from '../policy/types.ts'
import { type Contracts, contractObjects } from './expand.ts'
import { type Located, valueAt } from './located.ts'
import { normaliseObject } from './normalise-contract.ts'
import type { Origins } from './origins.ts'
import { type Plain, record, records, strings, text, textOr } from './plain.ts'
import { readVersion } from './semver.ts'
import { readSpan } from './span.ts'
import type {
  Column,
  DataObject,
  Ingestion,
  InputPort,
  Offer,
  OutputPort,
  ProductSpec,
  RoleBinding,
  ServiceLevel,
  TransformationComponent,
  Trigger,
} from './types.ts'
import { type ComponentView, componentsOf, policiesOf } from './view.ts'

const DAY = 86_400_000

/**
 * The expanded spec as ProductSpec. Never throws: what has a wrong shape (the schema has said so) reads as absent, so the rules can find the rest.
 * `origins` remembers where each part was written.
 */
export function normaliseSpec(expanded: Located, contracts: Contracts, origins: Origins): ProductSpec {
  const components = componentsOf(expanded)
  const of = (role: string) => components.filter((component) => component.definition?.role === role)
  const product = policiesOf(expanded, 'data-product')[0]?.properties ?? {}
  const description = record(product.description)
  const metadata = record(valueAt(expanded, ['metadata']))
  const build = { expanded, contracts, origins }
  return {
    domain: text(metadata.namespace),
    name: text(metadata.name),
    version: textOr(record(metadata.annotations).version, '0.1.0'),
    title: text(product.title),
    description: {
      purpose: text(description.purpose),
      limitations: textOr(description.limitations, null),
      usage: textOr(description.usage, null),
    },
    status: textOr(product.status, 'draft') as ProductSpec['status'],
    tags: strings(product.tags),
    team: {
      name: text(record(product.team).name),
      members: records(record(product.team).members).map((member) => ({
        username: text(member.username),
        role: textOr(member.role, 'member'),
      })),
    },
    inputs: of('input-port').map((component) => inputPort(build, component)),
    ingestions: of('ingestion').map((component) => keep(build, component.pointer, ingestion(component))),
    transformations: of('transformation').map((component) => keep(build, component.pointer, transformation(component))),
    outputs: of('output-port').map((component) => outputPort(build, component)),
    roles: policiesOf(expanded, 'access-control').flatMap((policy) =>
      records(policy.properties.roles).map((binding, i) =>
        keep(build, `${policy.pointer}/properties/roles/${i}`, roleBinding(binding)),
      ),
    ),
    offers: policiesOf(expanded, 'data-sharing-agreement').map((policy) =>
      keep(build, policy.pointer, offer(policy.name, policy.properties)),
    ),
    receivers: policiesOf(expanded, 'alert-receivers').flatMap((policy) =>
      records(policy.properties.targets).map((target) => ({
        name: text(target.name),
        target: target.target === 'email' ? 'email' : 'webhook',
        urlSecret: textOr(record(target.urlSecretRef).name, null),
        to: strings(target.to),
      })),
    ),
    retention: policiesOf(expanded, 'retention').flatMap((policy) =>
      records(policy.properties.data).map((rule) => ({
        object: text(rule.object),
        retainMs: readSpan(text(rule.retain)) ?? 0,
        element: textOr(rule.element, null),
      })),
    ),
  }
}

type Build = { expanded: Located; contracts: Contracts; origins: Origins }

function keep<T extends object>({ expanded, origins }: Build, pointer: string, value: T): T {
  origins.set(value, { document: expanded, pointer })
  return value
}

function inputPort(build: Build, component: ComponentView): InputPort {
  const { name, type, properties, pointer } = component
  const server = record(properties.server)
  const secret = textOr(record(properties.secretRef).name, null)
  if (type === 'data-product-input-port') {
    const from = record(properties.dataProduct)
    return keep(build, pointer, {
      kind: 'product',
      name,
      domain: text(from.domain),
      product: text(from.name),
      port: text(properties.outputPort),
      versionRange: text(properties.version),
      expects: records(properties.expects).map(expected),
    })
  }
  if (type === 'file-input-port' && server.type === 'local') {
    const found = contractObjects(build.expanded, pointer, properties, build.contracts)[0]
    return keep(build, pointer, {
      kind: 'file',
      name,
      path: text(server.path),
      format: 'csv',
      delimiter: textOr(server.delimiter, ','),
      null: textOr(server.null, null),
      contract: found ? normaliseObject(found, build.origins) : null,
    })
  }
  const kind = type === 'file-input-port' ? 'remote-file' : type === 'api-input-port' ? 'api' : 'database'
  return keep(build, pointer, { kind, name, server, secret })
}

function expected(value: Plain): DataObject {
  const columns = records(value.properties).map(
    (column): Column => ({
      name: text(column.name),
      logicalType: textOr(column.logicalType, 'string') as Column['logicalType'],
      physicalType: null,
      required: column.required === true,
      unique: false,
      primaryKey: false,
      classification: null,
      tags: [],
      description: null,
    }),
  )
  return { name: text(value.name), columns, quality: [], description: null }
}

function trigger(component: ComponentView): Trigger | null {
  const found = component.traits.find((trait) => trait.type === 'trigger')?.properties
  if (!found) return null
  const cron = record(found.cron)
  const events = record(found.events)
  return {
    cron: found.cron === undefined ? null : { schedule: text(cron.schedule), timeZone: textOr(cron.timeZone, 'UTC') },
    events:
      found.events === undefined
        ? null
        : {
            match: events.match === 'any' ? 'any' : 'all',
            sources: records(events.sources).map((source) => text(source.component)),
            debounceMs: readDuration(text(events.debounce)) ?? 0,
            maxWaitMs: readDuration(text(events.maxWait)) ?? null,
          },
  }
}

function ingestion(component: ComponentView): Ingestion {
  return {
    name: component.name,
    type: component.type,
    dependsOn: component.dependsOn.map((dependency) => dependency.name),
    writes: records(component.properties.writes).map((write) => ({
      from: text(write.from),
      object: textOr(write.object, null),
      table: text(write.to).replace(/^staging\./, ''),
      disposition:
        write.write_disposition === 'append' || write.write_disposition === 'merge' ? write.write_disposition : 'replace',
    })),
    trigger: trigger(component),
  }
}

function transformation(component: ComponentView): TransformationComponent {
  return {
    name: component.name,
    type: component.type,
    dependsOn: component.dependsOn.map((dependency) => dependency.name),
    projectDir: textOr(component.properties.projectDir, 'dbt'),
    select: text(component.properties.select),
    trigger: trigger(component),
  }
}

function outputPort(build: Build, component: ComponentView): OutputPort {
  const { properties, pointer } = component
  const objects = contractObjects(build.expanded, pointer, properties, build.contracts).map((found) => {
    const object = { ...normaliseObject(found, build.origins), from: textOr(found.value.from, found.name) }
    build.origins.set(object, { document: found.document, pointer: found.pointer })
    return object
  })
  const version = textOr(properties.version, '0.1.0')
  const source = componentsOf(build.expanded).find((candidate) => candidate.name === properties.source && candidate !== component)
  const guarded = component.type === 'api-output-port' && source?.type === 'sql-output-port' ? source : component
  return keep(build, pointer, {
    name: component.name,
    port: textOr(properties.port, component.name),
    kind: component.type === 'api-output-port' ? 'api' : 'sql',
    version,
    major: readVersion(version)?.[0] ?? 0,
    title: text(properties.title),
    objects,
    serviceLevels: serviceLevels(build, component),
    rowFilters: rowFilters(build, guarded),
    masks: masks(build, guarded, objects),
  })
}

function serviceLevels(build: Build, component: ComponentView): ServiceLevel[] {
  return component.traits
    .filter((trait) => trait.type === 'service-level')
    .flatMap((trait) =>
      records(trait.properties.slos).flatMap((slo, i) => {
        const level = serviceLevel(slo)
        return level ? [keep(build, `${trait.pointer}/properties/slos/${i}`, level)] : []
      }),
    )
}

function serviceLevel(slo: Plain): ServiceLevel | null {
  const source = record(record(record(slo.indicator).thresholdMetric).metricSource)
  const spec = record(source.spec)
  const objective = records(slo.objectives)[0] ?? {}
  const target = shareOf(objective)
  const windowMs = readSpan(text(records(slo.timeWindow)[0]?.duration)) ?? 20 * DAY
  const base = { name: text(slo.name), object: text(spec.object), target, windowMs }
  const value = typeof objective.value === 'number' ? objective.value : 0
  if (source.type === 'availability') return { kind: 'availability', ...base }
  if (source.type === 'completeness') {
    const baseline = record(spec.baseline)
    return {
      kind: 'completeness',
      ...base,
      within: Math.round((1 - value) * 1e8) / 1e8,
      against: baseline.statistic === 'last' ? 'last' : 'mean',
      of: spec.of === 'delta' ? 'delta' : 'total',
      minimum: typeof baseline.minSamples === 'number' ? baseline.minSamples : 5,
    }
  }
  if (source.type !== 'freshness') return null
  const unitMs = { m: 60_000, h: 3_600_000, d: DAY }[textOr(spec.unit, 'h')] ?? 3_600_000
  return { kind: 'freshness', ...base, element: textOr(spec.element, null), thresholdMs: Math.round(value * unitMs) }
}

/** Shares are kept to a millionth, so that counting budgets in integers stays exact. */
function shareOf(objective: Plain): number {
  if (typeof objective.targetPercent === 'number') return Math.round(objective.targetPercent * 1e4) / 1e6
  return typeof objective.target === 'number' ? objective.target : 0.95
}

function exemptions(value: unknown): Exemption[] {
  return records(value).flatMap((item): Exemption[] => {
    if (item.role === 'consumer' || item.role === 'service' || item.role === 'owner') return [{ role: item.role }]
    return typeof item.attribute === 'string' && typeof item.equals === 'string'
      ? [{ attribute: item.attribute, equals: item.equals }]
      : []
  })
}

/** A filter that cannot be read lets nobody see anything; rules/protection.ts reports it. */
function rowFilters(build: Build, component: ComponentView): RowFilter[] {
  return dataPolicies(component).flatMap((trait) =>
    records(trait.properties.rowFilters).map((filter, i) => {
      const parsed = parseFilter(text(filter.condition))
      const condition = parsed.ok ? parsed.filter : { op: 'or' as const, args: [] }
      return keep(build, `${trait.pointer}/properties/rowFilters/${i}`, {
        name: text(filter.name),
        object: text(filter.object),
        condition,
        exempt: exemptions(filter.exempt),
      })
    }),
  )
}

/** One mask per masked column: explicit columns beat a match by tag. */
function masks(build: Build, component: ComponentView, objects: readonly DataObject[]): Mask[] {
  const found = new Map<string, { mask: Mask; explicit: boolean }>()
  for (const trait of dataPolicies(component))
    for (const [i, written] of records(trait.properties.columnMasks).entries())
      for (const object of objects)
        for (const column of object.columns) {
          const id = `${object.name}.${column.name}`
          const explicit = strings(written.columns).includes(id)
          const byTag = strings(record(written.match).tags).some((tag) => column.tags.includes(tag))
          if (!explicit && !byTag) continue
          const known = found.get(id)
          if (known && (known.explicit || !explicit)) continue
          const mask: Mask = {
            name: text(written.name),
            object: object.name,
            column: column.name,
            method: text(written.method) as MaskMethod,
            arguments: Object.fromEntries(
              Object.entries(record(written.arguments)).filter(([, value]) =>
                ['string', 'number', 'boolean'].includes(typeof value),
              ),
            ) as Mask['arguments'],
            exempt: exemptions(written.exempt),
          }
          found.set(id, { mask: keep(build, `${trait.pointer}/properties/columnMasks/${i}`, mask), explicit })
        }
  return [...found.values()].map(({ mask }) => mask)
}

function dataPolicies(component: ComponentView) {
  return component.traits.filter((trait) => trait.type === 'data-policy')
}

function roleBinding(binding: Plain): RoleBinding {
  return {
    role: textOr(binding.role, 'consumer') as RoleBinding['role'],
    ports: strings(binding.selector),
    groups: strings(binding.groups),
    subjects: strings(binding.principals),
    approvers: strings(binding.firstLevelApprovers),
  }
}

function offer(name: string, properties: Plain): Offer {
  const terms = record(properties.terms)
  const duration = record(properties.duration)
  const approvers = record(properties.approvers)
  const maxMs = readDuration(text(duration.max)) ?? 0
  return {
    name,
    ports: strings(properties.selector),
    purposes: strings(properties.purpose),
    prohibitedUses: strings(properties.prohibitedUses),
    terms: { url: textOr(terms.url, null), version: textOr(terms.version, '1'), legalBasis: textOr(terms.legalBasis, null) },
    obligations: strings(properties.obligations),
    classification: textOr(properties.classification, null),
    approvers: { first: strings(approvers.firstLevel), second: strings(approvers.secondLevel) },
    contact: text(properties.contact),
    defaultMs: readDuration(text(duration.default)) ?? maxMs,
    maxMs,
    renewable: duration.renewable !== false,
    onExpiry: properties.onExpiry === 'notify' ? 'notify' : 'revoke',
  }
}
