import { statusWord } from '../../../client/status-words.ts'
import type { Agreement, Connection } from '../../../client/types.ts'
import { renderFacts } from './facts.ts'
import { cleanLine, glyph, paint, type Style, showState } from './style.ts'
import { renderTable } from './table.ts'
import { ageOf, showTime } from './time.ts'

export function renderAgreementTable(agreements: readonly Agreement[], style: Style): string[] {
  return renderTable(
    [
      { title: 'AGREEMENT', align: 'right', value: (agreement: Agreement) => String(agreement.number) },
      { title: 'PORT', shrinkTo: 16, value: (agreement) => `${agreement.product}/${agreement.port} v${agreement.major}` },
      { title: 'ENV', optional: true, value: (agreement) => agreement.environment },
      { title: 'READER', shrinkTo: 8, value: (agreement) => agreement.subject },
      {
        title: 'STATE',
        value: (agreement) => {
          const { family, word } = statusWord('access', agreement.state)
          return { text: `${glyph(family)} ${word}`, family }
        },
      },
      { title: 'ENDS', value: (agreement) => agreement.endsAt.slice(0, 10) },
      { title: 'PURPOSE', optional: true, shrinkTo: 8, value: (agreement) => agreement.purpose },
    ],
    agreements,
    style,
  )
}

/** An agreement with its evidence: what the platform tried as the reader, and how it went. */
export function renderAgreement(agreement: Agreement, style: Style): string[] {
  const lines = [
    `${paint(style, 'strong', `agreement ${agreement.number}`)}  ${agreement.subject} reads ${agreement.product}/${agreement.port} v${agreement.major} in ${agreement.environment}`,
    ...renderFacts(
      [
        ['state', showState(style, 'access', agreement.state)],
        ['purpose', cleanLine(agreement.purpose)],
        ['offer', agreement.offer],
        ['from', agreement.startsAt && showTime(agreement.startsAt, style)],
        ['until', showTime(agreement.endsAt, style)],
        ['ended', agreement.endedBecause && cleanLine(agreement.endedBecause)],
        ['request', String(agreement.request)],
      ],
      style,
    ),
  ]
  for (const { expect, at, run, proofs } of agreement.evidence) {
    lines.push(
      '',
      paint(style, 'strong', `Evidence that it is ${expect}`) + paint(style, 'muted', `   ${ageOf(at, style)} ago, run ${run}`),
    )
    for (const proof of proofs) {
      const mark = paint(style, proof.ok ? 'ok' : 'bad', glyph(proof.ok ? 'ok' : 'bad').padEnd(4))
      const detail = [proof.detail, proof.sqlstate && `SQLSTATE ${proof.sqlstate}`].filter((text) => text).join(', ')
      lines.push(`  ${mark}  ${cleanLine(proof.what)}: ${cleanLine(proof.expected)}${detail ? ` (${cleanLine(detail)})` : ''}`)
    }
  }
  return lines
}

/** Lines to copy; psql and curl stand alone. `curl` writes the line for an object's address. */
export function renderConnection(connection: Connection, style: Style, curl: (url: string) => string): string[] {
  const first = connection.ports.find((port) => port.objects.length > 0)
  const { replaced } = connection
  return [
    `    ${connection.psql}`,
    ...(first ? [`    ${curl(`${first.http}/${encodeURIComponent(first.objects[0]!)}`)}`] : []),
    '',
    ...(replaced === null
      ? []
      : [
          paint(
            style,
            'warn',
            `The password issued before this one, good until ${showTime(replaced, style)}, is void now. Open sessions go on.`,
          ),
          '',
        ]),
    ...renderFacts(
      [
        ['url', connection.url],
        ['jdbc', connection.jdbc],
        ['user', connection.user],
        ['until', showTime(connection.expiresAt, style)],
        ...connection.ports.map(
          (port) =>
            [`port ${port.port}`, port.objects.map((object) => `${port.schema}.${cleanLine(object)}`).join(', ')] as const,
        ),
      ],
      style,
    ),
  ]
}
