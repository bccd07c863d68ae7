import type { Run, RunEvent, RunNode, RunState, RunStep, StepState } from '../api/types.ts'

export function isActive(state: RunState): boolean {
  return state === 'waiting' || state === 'queued' || state === 'running'
}

const RUN_ORDER: Record<RunState, number> = {
  waiting: 0,
  queued: 1,
  running: 2,
  succeeded: 3,
  failed: 3,
  cancelled: 3,
  superseded: 3,
  denied: 3,
}
const STEP_ORDER: Record<StepState, number> = { pending: 0, running: 1, succeeded: 2, failed: 2, skipped: 2, cancelled: 2 }

/**
 * What an event says about a run that is already on the page. The stream starts with the past, so only what goes forward counts; a retry, which goes back,
 * comes with a higher attempt or with the next full answer.
 */
export function applyEvent(run: Run, event: RunEvent): Run {
  if (event.kind === 'state') {
    const state = event.data.state as RunState | undefined
    return state && state in RUN_ORDER && RUN_ORDER[state] > RUN_ORDER[run.state] ? { ...run, state } : run
  }
  if (event.kind === 'step') return applyStep(run, event)
  if (event.kind === 'node') return applyNode(run, event)
  return run
}

function applyStep(run: Run, event: RunEvent): Run {
  const id = typeof event.data.id === 'string' ? event.data.id : event.step
  const told = pick(event.data, STEP_FIELDS) as Partial<RunStep>
  const state = told.state
  if (!id || !state || !(state in STEP_ORDER)) return run
  const steps = run.steps.map((step) => {
    if (step.id !== id) return step
    const again = (told.attempt ?? step.attempt) > step.attempt
    if (!again && STEP_ORDER[state] <= STEP_ORDER[step.state]) return step
    return {
      ...step,
      startedAt: state === 'running' ? event.at : step.startedAt,
      endedAt: STEP_ORDER[state] === 2 ? event.at : null,
      ...told,
    }
  })
  return { ...run, steps }
}

function applyNode(run: Run, event: RunEvent): Run {
  const told = pick(event.data, NODE_FIELDS) as Partial<RunNode>
  const step = told.step ?? event.step
  if (!step || !told.name) return run
  const found = run.nodes.find((node) => node.step === step && node.name === told.name)
  if (found?.endedAt && !told.endedAt) return run
  const empty = { step, name: told.name, resource: 'model', status: 'running', startedAt: event.at, endedAt: null, message: null }
  const next = { ...(found ?? empty), ...told, step }
  return { ...run, nodes: found ? run.nodes.map((node) => (node === found ? next : node)) : [...run.nodes, next] }
}

const STEP_FIELDS = ['state', 'attempt', 'startedAt', 'endedAt', 'ms', 'problem', 'outcome']
const NODE_FIELDS = ['step', 'name', 'resource', 'status', 'startedAt', 'endedAt', 'message']

function pick(data: Record<string, unknown>, names: string[]): Record<string, unknown> {
  return Object.fromEntries(names.filter((name) => data[name] !== undefined).map((name) => [name, data[name]]))
}

const OF_THE_CODE = /^(SPEC|TRANSFORM|TRANSFORMATION|VERIFY|POLICY|CONTRACT|SQL)_/

/** The same commit fails the same way again: the way on is a fix, not a retry. */
export function failsAgain(run: Run): boolean {
  return run.state === 'failed' && run.commit !== null && OF_THE_CODE.test(run.problem?.code ?? '')
}

const VERBS: Record<string, (product: string, environment: string) => string> = {
  bootstrap: (product) => `Bootstrap ${product}`,
  deploy: (product, environment) => `Deploy ${product} to ${environment}`,
  promote: (product, environment) => `Promote ${product} to ${environment}`,
  refresh: (product, environment) => `Refresh ${product} in ${environment}`,
  rollback: (product, environment) => `Roll back ${product} in ${environment}`,
  grant: (product, environment) => `Grant access to ${product} in ${environment}`,
  revoke: (product, environment) => `Revoke access to ${product} in ${environment}`,
  undo: (product) => `Undo the bootstrap of ${product}`,
  retire: (product) => `Retire ${product}`,
  restore: (product) => `Restore ${product}`,
}

/** "Deploy fleet/planes to prod" */
export function runTitle(run: { kind: string; product: string; environment: string }): string {
  return VERBS[run.kind]?.(run.product, run.environment) ?? `${run.kind} ${run.product} in ${run.environment}`
}

/** "Refresh in prod", where the product is known */
export function runShortTitle(run: { kind: string; environment: string }): string {
  const verb = run.kind.slice(0, 1).toUpperCase() + run.kind.slice(1)
  return run.environment === '*'
    ? verb
    : `${verb} ${run.kind === 'deploy' || run.kind === 'promote' ? 'to' : 'in'} ${run.environment}`
}

/** What consumers read because of, or in spite of, a failed run. */
export function servedAfterFailure(run: Run): { title: string; detail: string } {
  const did = (stage: string) => run.steps.some((step) => step.stage === stage && step.state === 'succeeded')
  const untouched = !did('policies') && !did('access') ? ' No policy or grant changed.' : ''
  if (did('publish'))
    return { title: 'The new data is served', detail: 'It was published before the failure; the steps after it are missing.' }
  if (run.served) return { title: `Consumers still read ${run.served}`, detail: `Nothing was published.${untouched}` }
  return {
    title: 'Nothing is served yet',
    detail: `Nothing was published.${untouched} What was made so far is kept for the retry.`,
  }
}
