import { statusWord } from '../../../client/status-words.ts'
import type { Run, RunStep, RunSummary } from '../../../client/types.ts'
import { renderProblem } from './error.ts'
import { cleanLine, count, cut, glyph, paint, type Style, showState } from './style.ts'
import { renderTable } from './table.ts'
import { ageOf, showTook } from './time.ts'

export const ENDED: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled', 'superseded', 'denied'])
const BLOCK_STEPS = 14
/** What a progress event said last of a running step: `18 of 31`. */
export type Progress = { done: number; total: number }

export function renderRunTable(runs: readonly RunSummary[], style: Style): string[] {
  return renderTable(
    [
      { title: 'RUN', align: 'right', value: (run: RunSummary) => String(run.number) },
      { title: 'PRODUCT', shrinkTo: 14, value: (run) => run.product },
      { title: 'ENV', value: (run) => run.environment },
      { title: 'KIND', optional: true, value: (run) => run.kind },
      { title: 'STATE', value: (run) => toCell(statusWord('run', run.state)) },
      {
        title: 'CAUSE',
        shrinkTo: 10,
        value: (run) => (run.problem ? `${run.step ? `${run.step}: ` : ''}${run.problem.message}` : run.because),
      },
      { title: 'AGE', align: 'right', value: (run) => ageOf(run.createdAt, style) },
      { title: 'TOOK', optional: true, align: 'right', value: (run) => (run.ms === null ? '' : showTook(run.ms)) },
    ],
    runs,
    style,
  )
}

function toCell({ family, word }: ReturnType<typeof statusWord>) {
  return { text: `${glyph(family)} ${word}`, family }
}

/** `deploy fleet/planes -> prod`; a bootstrap is for all environments. */
export function describeRun({ kind, product, environment }: Pick<RunSummary, 'kind' | 'product' | 'environment'>): string {
  return `${kind} ${product}${environment === '*' ? '' : ` -> ${environment}`}`
}

/** One line: `run 812  deploy fleet/planes -> prod   1m02s usual 2m50s`. */
function renderRunHead(run: RunSummary, style: Style): string {
  const took = run.ms ?? (run.startedAt ? style.now.getTime() - Date.parse(run.startedAt) : null)
  const times = [took === null ? '' : showTook(took), run.usualMs === null ? '' : `usual ${showTook(run.usualMs)}`]
    .filter((text) => text !== '')
    .join(' ')
  const head = `run ${run.number}  ${describeRun(run)}`
  return `${paint(style, 'strong', cut(head, style.width - times.length - 3))}${times === '' ? '' : `   ${paint(style, 'muted', times)}`}`
}

/** The block that is repainted while a run goes on: one line for each step that began, one for all that wait. */
export function renderProgress(run: Run, progress: ReadonlyMap<string, Progress>, style: Style): string[] {
  const begun = run.steps.filter((step) => step.state !== 'pending')
  const waiting = [...new Set(run.steps.filter((step) => step.state === 'pending').map((step) => step.stage))]
  // A block higher than the terminal cannot be painted over, so of many finished steps the first are counted only.
  const hidden = begun.slice(0, Math.max(begun.length - BLOCK_STEPS, 0))
  const lines = [
    renderRunHead(run, style),
    ...(hidden.length > 0 ? [`  ${paint(style, 'ok', 'ok  ')}  ${count(hidden.length, 'earlier step')}`] : []),
    ...begun.slice(hidden.length).map((step) => renderStepLine(step, progress.get(step.id), titleWidth(run, style), style)),
  ]
  if (waiting.length > 0 && !ENDED.has(run.state))
    lines.push(`  ${paint(style, 'wait', 'wait')}  ${cut(waiting.join(' · '), style.width - 8)}`)
  return lines
}

/** One line of a step: in the block, and alone where nothing can be repainted. */
function renderStepLine(step: RunStep, progress: Progress | undefined, width: number, style: Style): string {
  const { family } = statusWord('run', step.state)
  const ms = step.ms ?? (step.state === 'running' && step.startedAt ? style.now.getTime() - Date.parse(step.startedAt) : null)
  const told = step.problem
    ? step.problem.message
    : step.state === 'running' && progress
      ? renderBar(progress)
      : (step.outcome ?? '')
  const again = step.attempt > 1 ? `attempt ${step.attempt}  ` : ''
  const title = cut(cleanLine(step.title), width).padEnd(width)
  const took = (ms === null ? '' : showTook(ms)).padStart(6)
  const room = style.width - 2 - 4 - 2 - width - 2 - took.length - 3
  return `  ${paint(style, family, glyph(family).padEnd(4))}  ${title}  ${took}   ${cut(`${again}${cleanLine(told)}`, room)}`.trimEnd()
}

function titleWidth(run: Run, style: Style): number {
  return Math.min(Math.max(...run.steps.map((step) => cleanLine(step.title).length), 8), Math.floor(style.width * 0.45))
}

function renderBar({ done, total }: Progress): string {
  const filled = total > 0 ? Math.round((Math.min(done, total) / total) * 16) : 0
  return `[${'#'.repeat(filled)}${'-'.repeat(16 - filled)}] ${done} of ${total}`
}

/** What stands when following ends: the verdict, the cause, what consumers still read and what to type next. */
export function renderRunEnd(run: Run, style: Style): string[] {
  const { family, word } = statusWord('run', run.state)
  const took = run.ms === null ? '' : `  ${showTook(run.ms)}`
  const verdict = `${paint(style, family, `${glyph(family)}  ${word}`)}${took}  run ${run.number}  ${describeRun(run)}`
  if (run.state === 'succeeded') return [verdict, ...served(run)]
  const failed = run.steps.find((step) => step.state === 'failed')
  const problem = failed?.problem ?? run.problem
  return [
    verdict,
    ...(failed ? [`  in step ${cleanLine(failed.title)}`] : []),
    ...(problem ? renderProblem(problem, { ...style, width: style.width - 2 }).map((line) => `  ${line}`) : []),
    ...served(run),
    ...nextAfter(run),
  ]
}

function served(run: Run): string[] {
  const published = run.steps.some((step) => step.stage === 'publish' && step.state === 'succeeded')
  if (run.state === 'succeeded') return run.served && published ? [`  ${run.environment} serves ${run.served}.`] : []
  if (run.served === null)
    return run.steps.some((step) => step.stage === 'publish') ? [`  ${run.environment} serves nothing yet.`] : []
  return [
    published
      ? `  ${run.environment} serves ${run.served}.`
      : `  ${run.environment} still serves ${run.served}; nothing was published.`,
  ]
}

function nextAfter(run: Run): string[] {
  const next = [
    ...(run.actions.retry ? [`heddle retry run ${run.number}`] : []),
    ...(run.actions.approve ? [`heddle approve run ${run.number}`] : []),
    ...(run.state === 'failed' ? [`heddle logs ${run.number} --failed`] : []),
  ]
  return next.length > 0 ? [`  Next  ${next.join('   |   ')}`] : []
}

/** What changed between two looks at a run, one line each: for pipes, files and CI, where nothing is repainted. */
export function renderChanges(before: Run | null, after: Run, style: Style): string[] {
  const known = new Map(before?.steps.map((step) => [step.id, `${step.state} ${step.attempt}`]))
  const lines = before === null ? [renderRunHead(after, style)] : []
  if (before?.state !== after.state && !ENDED.has(after.state)) lines.push(`  ${showState(style, 'run', after.state)}`)
  for (const step of after.steps) {
    if (step.state === 'pending' || known.get(step.id) === `${step.state} ${step.attempt}`) continue
    lines.push(renderStepLine(step, undefined, titleWidth(after, style), style))
  }
  return lines
}
