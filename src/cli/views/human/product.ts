import { statusWord } from '../../../client/status-words.ts'
import type { Product, ProductSummary } from '../../../client/types.ts'
import { renderFacts } from './facts.ts'
import { renderRunTable } from './run.ts'
import { cleanLine, count, glyph, paint, type Style, showState, showStatus } from './style.ts'
import { renderTable } from './table.ts'
import { ageOf, showAge, showTime } from './time.ts'

export function renderProductTable(products: readonly ProductSummary[], style: Style): string[] {
  return renderTable(
    [
      { title: 'PRODUCT', shrinkTo: 16, value: (product: ProductSummary) => product.address },
      { title: 'RELEASE', value: (product) => product.release ?? '' },
      { title: 'STATE', value: (product) => cellOf(statusWord('product', product.state)) },
      { title: 'FRESH', align: 'right', value: (product) => (product.freshness === null ? '' : showAge(product.freshness)) },
      { title: 'SLO', value: (product) => (product.slo === null ? '' : cellOf(statusWord('slo', product.slo))) },
      { title: 'OWNER', optional: true, shrinkTo: 8, value: (product) => product.owner },
      { title: 'WHY', optional: true, shrinkTo: 8, value: (product) => product.reason ?? '' },
    ],
    products,
    style,
  )
}

function cellOf({ family, word }: ReturnType<typeof statusWord>) {
  return { text: `${glyph(family)} ${word}`, family }
}

export function renderProduct(product: Product, style: Style): string[] {
  const state = showState(style, 'product', product.state)
  const lines = [
    `${paint(style, 'strong', product.address)}  ${cleanLine(product.title)}`,
    ...renderFacts(
      [
        ['state', `${state} since ${showTime(product.since, style)}${product.reason ? `: ${cleanLine(product.reason)}` : ''}`],
        ['owner', cleanLine(product.owner)],
        ['about', product.description && cleanLine(product.description)],
        ['service levels', product.slo && showState(style, 'slo', product.slo)],
        ['fresh', product.freshness === null ? null : `${showAge(product.freshness)} since the last publication`],
        ['repository', product.repository.cloneUrl],
        ['catalog', product.catalog && `community ${product.catalog.community}, ${product.catalog.state}`],
      ],
      style,
    ),
  ]
  const section = (title: string, body: string[]) => {
    if (body.length > 0) lines.push('', paint(style, 'strong', title), ...body)
  }
  section(
    'Environments',
    product.environments.map((environment) => {
      const release = environment.release
        ? `r${environment.release.number} · ${environment.release.label}, ${ageOf(environment.release.at, style)} ago`
        : 'no release'
      const pinned = environment.pinned
        ? `, pinned by ${cleanLine(environment.pinned.by)} until the next push or heddle unpin`
        : ''
      return `  ${environment.name}${environment.protected ? ' (protected)' : ''}  ${showState(style, 'product', environment.state)}  ${release}${pinned}`
    }),
  )
  section(
    'Served',
    product.served.flatMap((served) => [
      `  ${served.port} v${served.version}  ${served.environment}  schema ${served.schema}  revision ${served.revision}, ${ageOf(served.publishedAt, style)} ago`,
      ...served.objects.map(
        (object) =>
          `    ${cleanLine(object.name)}  ${count(object.columns.length, 'column')}${masked(object.columns)}${rows(object.rows)}`,
      ),
    ]),
  )
  section('Access', [
    ...product.roles.map(
      (role) => `  ${role.role}  ${role.subjects.map(cleanLine).join(', ') || 'nobody'}: ${cleanLine(role.may)}`,
    ),
    ...product.offers.map(
      (offer) =>
        `  offer ${offer.name}  ports ${offer.ports.join(', ')}; ${offer.defaultDays} days, at most ${offer.maxDays}; approved by ${offer.approvers.join(', ')}`,
    ),
  ])
  section(
    'Monitors',
    product.monitors.map(
      (monitor) => `  ${monitor.port}.${monitor.object}  ${monitor.kind}  ${showStatus(statusWord('slo', monitor.state))}`,
    ),
  )
  section('Runs', product.runs.length > 0 ? renderRunTable(product.runs, style) : [])
  return lines
}

function masked(columns: Product['served'][number]['objects'][number]['columns']): string {
  const names = columns.filter((column) => column.mask !== null).map((column) => cleanLine(column.name))
  return names.length > 0 ? `, masked: ${names.join(', ')}` : ''
}

function rows(n: number | null): string {
  return n === null ? '' : `, ${count(n, 'row')}`
}
