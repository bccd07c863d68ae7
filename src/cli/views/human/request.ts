import { statusWord } from '../../../client/status-words.ts'
import type { Request } from '../../../client/types.ts'
import { renderFacts } from './facts.ts'
import { renderPlan } from './plan.ts'
import { cleanLine, glyph, paint, type Style, showState } from './style.ts'
import { renderTable } from './table.ts'
import { ageOf, showTime } from './time.ts'

export function renderRequestTable(requests: readonly Request[], style: Style): string[] {
  return renderTable(
    [
      { title: 'REQUEST', align: 'right', value: (request: Request) => String(request.number) },
      { title: 'WHAT', shrinkTo: 16, value: (request) => request.title },
      {
        title: 'STATE',
        value: (request) => {
          const { family, word } = statusWord('request', request.state)
          return { text: `${glyph(family)} ${word}`, family }
        },
      },
      { title: 'BY', optional: true, value: (request) => request.by },
      { title: 'AGE', align: 'right', value: (request) => ageOf(request.createdAt, style) },
      { title: 'NEXT', optional: true, shrinkTo: 10, value: (request) => request.next },
    ],
    requests,
    style,
  )
}

/** The one card of a request, the same facts as in the portal. */
export function renderRequest(request: Request, style: Style): string[] {
  return [
    `${paint(style, 'strong', `request ${request.number}`)}  ${cleanLine(request.title)}`,
    ...renderFacts(
      [
        ['state', showState(style, 'request', request.state)],
        ['by', `${request.by}, ${showTime(request.createdAt, style)}`],
        ...Object.entries(request.payload).map(
          ([name, value]) => [name, cleanLine(typeof value === 'string' ? value : JSON.stringify(value))] as const,
        ),
        ['approvers', request.approvers.join(', ')],
        ...request.approvals.map(
          (approval) =>
            [
              approval.decision,
              `${approval.by}, ${showTime(approval.at, style)}${approval.note ? `: ${cleanLine(approval.note)}` : ''}`,
            ] as const,
        ),
        ['run', request.run === null ? null : String(request.run)],
        ['next', cleanLine(request.next)],
      ],
      style,
    ),
    ...(request.plan && request.plan.steps.length > 0 ? ['', ...renderPlan(request.plan, style)] : []),
    ...renderActions(request),
  ]
}

export function renderActions(request: Request): string[] {
  const verbs = {
    approve: `heddle approve request ${request.number}`,
    deny: `heddle deny request ${request.number} --note WHY`,
    retry: `heddle retry request ${request.number}`,
    edit: `heddle request edit ${request.number} key=value`,
    undo: `heddle undo ${request.number}`,
    withdraw: `heddle request withdraw ${request.number}`,
  }
  const open = Object.entries(verbs).filter(([verb]) => request.actions[verb as keyof typeof verbs])
  return open.length > 0 ? [`Next  ${open.map(([, command]) => command).join('   |   ')}`] : []
}
