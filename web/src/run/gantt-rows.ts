import type { Run, RunNode, RunStep } from '../api/types.ts'
import { counted, formatCount } from '../text/time.ts'
import { isActive } from './run-state.ts'

export type GanttState = 'pending' | 'running' | 'succeeded' | 'warned' | 'failed' | 'skipped' | 'cancelled'
/** One line of the picture. Times are milliseconds on the axis; a row without `start` has no bar. */
export type GanttRow = {
  key: string
  level: 0 | 1 | 2
  name: string
  /** dbt nodes are names of code */
  mono: boolean
  qualifier: string | null
  state: GanttState
  took: number | null
  usual: number | null
  start: number | null
  end: number | null
  note: string | null
  /** id of the step the log can be narrowed to */
  step: string | null
  /** null: nothing to fold */
  open: boolean | null
  /** the innermost failed row, which leads the eye */
  culprit: boolean
}
export type Gantt = { rows: GanttRow[]; tick: number; length: number; leftOut: number }

type Span = { start: number; end: number }

const LONG_IDLE = 20_000

/** Steps grouped by stage, dbt nodes under their step, on one axis without the idle time between attempts. */
export function ganttOf(run: Run, now: number, folds: ReadonlyMap<string, boolean>): Gantt {
  // A step that never began in a run that is over will not run: it is not "queued".
  const over = !isActive(run.state)
  const steps = run.steps.map((step) => (over && step.state === 'pending' ? { ...step, state: 'skipped' as const } : step))
  const spans = steps.map((step) => spanOf(step, now)).filter((span) => span !== null)
  const axis = createAxis(spans, run.startedAt ? Date.parse(run.startedAt) : null)
  const rows = foldIdle(stagesOf(steps).flatMap((stage) => stageRows(stage, run, { now, axis, folds })))
  const known = rows.map((row) => Math.max(row.end ?? 0, row.start === null ? 0 : row.start + (row.usual ?? 0)))
  const tick = tickFor(Math.max(0, ...known, run.state === 'running' ? (run.usualMs ?? 0) : 0))
  return { rows, tick, length: tick * 6, leftOut: axis.leftOut }
}

type Scene = { now: number; axis: Axis; folds: ReadonlyMap<string, boolean> }

function stageRows(steps: RunStep[], run: Run, scene: Scene): GanttRow[] {
  const [first] = steps
  if (!first) return []
  if (steps.length === 1) return stepRows(first, first.stage, 0, run, scene)
  const state = stateOfMany(steps)
  const open = scene.folds.get(first.stage) ?? (state === 'failed' || state === 'running')
  const spans = steps.map((step) => spanOf(step, scene.now)).filter((span) => span !== null)
  const done = steps.filter((step) => step.state === 'succeeded').length
  const row: GanttRow = {
    ...blank(first.stage, first.stage, state),
    qualifier: `${steps.length} steps`,
    took: spans.length ? busy(spans) : null,
    usual: sumUsual(steps),
    ...scene.axis.place(spans),
    note: state === 'running' || state === 'failed' ? `${done} of ${steps.length} done` : null,
    open,
  }
  return open ? [row, ...steps.flatMap((step) => stepRows(step, step.title, 1, run, scene))] : [row]
}

function stepRows(step: RunStep, name: string, level: 0 | 1, run: Run, scene: Scene): GanttRow[] {
  const nodes = run.nodes.filter((node) => node.step === step.id)
  const span = spanOf(step, scene.now)
  const open = nodes.length ? (scene.folds.get(step.id) ?? true) : null
  const failedNode = nodes.some((node) => nodeState(node) === 'failed')
  const row: GanttRow = {
    ...blank(`${level} ${step.id}`, name, step.state),
    level,
    took: span ? (step.ms ?? span.end - span.start) : null,
    usual: step.usualMs ?? null,
    ...scene.axis.place(span ? [span] : []),
    note: noteOf(step, nodes),
    step: step.id,
    open,
    culprit: step.state === 'failed' && !(open && failedNode),
  }
  if (!open) return [row]
  const deeper = (level + 1) as 1 | 2
  return [row, ...nodes.map((node) => nodeRow(node, deeper, scene))]
}

function nodeRow(node: RunNode, level: 1 | 2, { now, axis }: Scene): GanttRow {
  const state = nodeState(node)
  const span = spanOf(node, now)
  return {
    ...blank(`${node.step} ${node.name}`, node.name, state),
    level,
    mono: true,
    qualifier: node.resource,
    took: span ? span.end - span.start : null,
    usual: node.usualMs ?? null,
    ...axis.place(span ? [span] : []),
    note: node.message && rowsOf(node.message),
    step: node.step,
    culprit: state === 'failed',
  }
}

/** PostgreSQL's own "SELECT 2000" in words. */
function rowsOf(message: string): string {
  const told = /^(?:SELECT|INSERT 0|MERGE|UPDATE|CREATE TABLE AS) (\d+)$/.exec(message)
  return told ? counted(Number(told[1]), 'row') : message
}

function blank(key: string, name: string, state: GanttState): GanttRow {
  const none = { qualifier: null, took: null, usual: null, start: null, end: null, note: null, step: null, open: null }
  return { key, level: 0, name, mono: false, state, culprit: false, ...none }
}

const FOLDED = 3

/** Equal steps that did not run are one row, three at most so that none is cut: "verify, policies, publish". */
function foldIdle(rows: GanttRow[]): GanttRow[] {
  const folded: GanttRow[] = []
  for (const row of rows) {
    const last = folded.at(-1)
    const still =
      row.level === 0 && row.start === null && (row.state === 'pending' || row.state === 'skipped' || row.state === 'cancelled')
    const names = last ? last.name.split(', ').length : 0
    if (
      still &&
      names < FOLDED &&
      last?.level === 0 &&
      last.start === null &&
      last.state === row.state &&
      !last.open &&
      !row.open
    ) {
      const usual = last.usual === null && row.usual === null ? null : (last.usual ?? 0) + (row.usual ?? 0)
      folded[folded.length - 1] = {
        ...last,
        name: `${last.name}, ${row.name}`,
        qualifier: null,
        step: null,
        open: null,
        usual,
        note: last.note ?? row.note,
      }
    } else folded.push(row)
  }
  return folded
}

function noteOf(step: RunStep, nodes: RunNode[]): string | null {
  if (step.outcome) return step.outcome
  if (step.state === 'skipped' || step.state === 'cancelled') return step.stage === 'publish' ? 'nothing published' : null
  const ended = nodes.filter((node) => node.endedAt).length
  return nodes.length && (step.state === 'running' || step.state === 'failed')
    ? `${formatCount(ended)} of ${formatCount(nodes.length)} ran`
    : null
}

function stagesOf(steps: RunStep[]): RunStep[][] {
  const groups: RunStep[][] = []
  for (const step of steps) {
    const last = groups.at(-1)
    if (last?.[0]?.stage === step.stage) last.push(step)
    else groups.push([step])
  }
  return groups
}

function stateOfMany(steps: RunStep[]): GanttState {
  const has = (state: RunStep['state']) => steps.some((step) => step.state === state)
  if (has('failed')) return 'failed'
  if (has('running')) return 'running'
  if (has('pending')) return has('succeeded') ? 'running' : 'pending'
  if (has('succeeded')) return 'succeeded'
  return has('cancelled') ? 'cancelled' : 'skipped'
}

function nodeState(node: RunNode): GanttState {
  if (node.status === 'success' || node.status === 'pass') return 'succeeded'
  if (node.status === 'warn') return 'warned'
  if (node.status === 'error' || node.status === 'fail') return 'failed'
  if (node.status === 'skipped') return 'skipped'
  return node.endedAt ? 'succeeded' : node.startedAt ? 'running' : 'pending'
}

function sumUsual(steps: RunStep[]): number | null {
  const known = steps.map((step) => step.usualMs ?? null)
  return known.includes(null) ? null : known.reduce<number>((sum, ms) => sum + (ms ?? 0), 0)
}

function spanOf(
  thing: { startedAt: string | null; endedAt: string | null; state?: string; status?: string },
  now: number,
): Span | null {
  if (!thing.startedAt || thing.state === 'skipped' || thing.status === 'skipped') return null
  const start = Date.parse(thing.startedAt)
  return { start, end: Math.max(start, thing.endedAt ? Date.parse(thing.endedAt) : now) }
}

function busy(spans: Span[]): number {
  return Math.max(...spans.map((span) => span.end)) - Math.min(...spans.map((span) => span.start))
}

type Axis = { place: (spans: Span[]) => { start: number | null; end: number | null }; leftOut: number }

/** A retry may come hours after the first attempt; the hours in between are left out, or nothing else could be seen. */
export function createAxis(spans: Span[], runStart: number | null): Axis {
  const sorted = spans.toSorted((a, b) => a.start - b.start)
  const [first] = sorted
  if (!first) return { place: () => ({ start: null, end: null }), leftOut: 0 }
  const zero = runStart !== null && runStart <= first.start && first.start - runStart <= LONG_IDLE ? runStart : first.start
  const gaps: Span[] = []
  let reached = zero
  for (const span of sorted) {
    if (span.start - reached > LONG_IDLE) gaps.push({ start: reached, end: span.start })
    reached = Math.max(reached, span.end)
  }
  const at = (time: number) => time - zero - gaps.reduce((sum, gap) => sum + Math.max(0, Math.min(time, gap.end) - gap.start), 0)
  return {
    leftOut: gaps.reduce((sum, gap) => sum + gap.end - gap.start, 0),
    place: (placed) =>
      placed.length
        ? { start: at(Math.min(...placed.map((span) => span.start))), end: at(Math.max(...placed.map((span) => span.end))) }
        : { start: null, end: null },
  }
}

const TICKS = [
  50, 100, 200, 500, 1_000, 2_000, 3_000, 4_000, 5_000, 10_000, 15_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000,
  1_200_000, 1_800_000, 3_600_000,
]

/** The smallest round sixth that holds everything. */
export function tickFor(length: number): number {
  return TICKS.find((tick) => tick * 6 >= length) ?? Math.ceil(length / 6 / 3_600_000) * 3_600_000
}
