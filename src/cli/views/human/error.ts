import { clean, cleanLine, paint, type Style, wrap } from './style.ts'

export type ShownProblem = {
  code: string
  message: string
  why?: string | undefined
  fix?: string | undefined
  docs?: string | undefined
  requestId?: string | undefined
  at?: { file: string; line: number; column: number } | undefined
  details?:
    | readonly {
        severity: string
        code: string
        what: string
        why?: string | undefined
        fix?: string | undefined
        at?: ShownProblem['at']
      }[]
    | undefined
}

/** `file:line:col error[CODE] what`, then why, fix, docs and request id, each on lines of its own. */
export function renderProblem(problem: ShownProblem, style: Style, severity = 'error'): string[] {
  const place = problem.at ? `${cleanLine(problem.at.file)}:${problem.at.line}:${problem.at.column} ` : ''
  const head = wrap(`${place}${severity}[${problem.code}] ${clean(problem.message)}`, style.width)
  head[0] = head[0]!.replace(`${severity}[${problem.code}]`, (mark) =>
    paint(style, severity === 'warning' ? 'warn' : 'bad', mark),
  )
  return [
    ...head,
    ...labelled('why', problem.why, style),
    ...further(problem).flatMap(({ what, severity: grade, ...detail }) =>
      renderProblem({ ...detail, message: what }, { ...style, width: style.width - 2 }, grade).map((line) => `  ${line}`),
    ),
    ...labelled('fix', problem.fix, style),
    ...labelled('docs', problem.docs, style),
    ...labelled('request id', problem.requestId, style),
  ]
}

/** A single detail is often the problem itself once more. */
function further({ message, at, details = [] }: ShownProblem): NonNullable<ShownProblem['details']> {
  return details.filter(({ what, at: place }) => what !== message || place?.file !== at?.file || place?.line !== at?.line)
}

function labelled(label: string, text: string | undefined, style: Style): string[] {
  if (text === undefined || text === '') return []
  const indent = ' '.repeat(3 + label.length + 2)
  return wrap(clean(text), style.width - indent.length).map((line, at) =>
    at === 0 ? `   ${paint(style, 'muted', label)}  ${line}` : indent + line,
  )
}
