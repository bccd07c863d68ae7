import type { AuditRow, Domain, Me, Subject } from '../../../client/types.ts'
import { renderFacts } from './facts.ts'
import { paint, type Style } from './style.ts'
import { renderTable } from './table.ts'
import { showTime } from './time.ts'

export function renderDomainTable(domains: readonly Domain[], style: Style): string[] {
  return renderTable(
    [
      { title: 'DOMAIN', value: (domain: Domain) => domain.name },
      { title: 'TITLE', optional: true, shrinkTo: 10, value: (domain) => domain.title },
      { title: 'OWNERS', shrinkTo: 10, value: (domain) => domain.owners.join(', ') },
      { title: 'PRODUCTS', align: 'right', value: (domain) => String(domain.products) },
      { title: 'CONNECTIONS', optional: true, align: 'right', value: (domain) => String(domain.budget.connections) },
    ],
    domains,
    style,
  )
}

export function renderSubjectTable(subjects: readonly Subject[], style: Style): string[] {
  return renderTable(
    [
      { title: 'SUBJECT', value: (subject: Subject) => subject.name },
      { title: 'KIND', value: (subject) => (subject.sample ? `${subject.kind}, sample` : subject.kind) },
      { title: 'TITLE', optional: true, shrinkTo: 10, value: (subject) => subject.title },
      { title: 'GROUPS', optional: true, shrinkTo: 10, value: (subject) => subject.groups.join(', ') },
      {
        title: 'ATTRIBUTES',
        shrinkTo: 12,
        value: (subject) =>
          Object.entries(subject.attributes)
            .map(([name, values]) => `${name}=${values.join(',')}`)
            .join(' '),
      },
    ],
    subjects,
    style,
  )
}

export function renderMe(me: Me, style: Style): string[] {
  return [
    `${paint(style, 'strong', me.name)}  ${me.title}`,
    ...renderFacts(
      [
        ['groups', me.groups.join(', ') || 'none'],
        ['platform', me.platform ? 'yes' : null],
        ['acting as', me.as],
        ['may act as', me.viewAs.join(', ')],
      ],
      style,
    ),
  ]
}

export function renderAuditTable(rows: readonly AuditRow[], style: Style): string[] {
  return renderTable(
    [
      { title: 'SEQ', align: 'right', value: (row: AuditRow) => String(row.seq) },
      { title: 'WHEN', value: (row) => showTime(row.at, style) },
      { title: 'WHO', value: (row) => (row.onBehalfOf === null ? row.actor : `${row.actor} as ${row.onBehalfOf}`) },
      { title: 'ACTION', value: (row) => row.action },
      { title: 'OBJECT', shrinkTo: 12, value: (row) => row.object },
      { title: 'DETAIL', optional: true, shrinkTo: 8, value: (row) => JSON.stringify(row.detail) },
    ],
    rows,
    style,
  )
}
