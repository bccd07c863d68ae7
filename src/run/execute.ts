import type { ErrorCode } from '../core/errors.ts'
import { asHeddleError, fail, toProblem } from '../core/fail.ts'
import type { Control, Queries } from '../store/control.ts'
import { isConnectionLost } from '../store/lost-connection.ts'
import type { RunState } from '../store/schema.ts'
import type { Command, CommandContext, CommandResult, RunFacts } from './command.ts'
import { createRunEvents, type RunEvents } from './events.ts'
import { type Claim, conclude, failStep, finishRun, intend, readRun, readSteps, type StepRow } from './journal.ts'

/** Where a test may stop the process: around the intent, the effect and the result of each command. */
export type Boundary = 'before-intent' | 'after-intent' | 'after-effect' | 'after-result'

export type ExecuteDeps = {
  control: Control
  commands: ReadonlyMap<string, Command>
  failpoint(command: string, boundary: Boundary): void
  /** part of the transaction that ends the run: whatever else must be true when it has ended */
  settled(queries: Queries, run: RunFacts, state: Extract<RunState, 'succeeded' | 'failed' | 'cancelled'>): Promise<void>
  log(line: string): void
}

/** Why a run was interrupted: `cancel` ends it, the others leave it to whoever claims it next. */
export type Interruption = { kind: 'cancel'; by: string } | { kind: 'lost' } | { kind: 'shutdown' }

/** The outside system did not answer; the same call may succeed a moment later. How often it is tried: six times bridge 17 s. */
const ATTEMPTS: Partial<Record<ErrorCode, number>> = {
  WAREHOUSE_UNREACHABLE: 6,
  WAREHOUSE_BUSY: 3,
  TRANSFORM_JOB_LOST: 3,
  TRANSFORM_RUNTIME_BROKEN: 3,
}
const LONGEST_PAUSE_MS = 5_000
/** Somebody else holds the run: nothing more may be written, not even a failure. */
const NOT_OURS = new Set<ErrorCode>(['RUN_LEASE_LOST', 'WAREHOUSE_FENCE_STALE'])

export async function executeRun(deps: ExecuteDeps, claim: Claim, signal: AbortSignal): Promise<void> {
  const run = await readRun(deps.control.db, claim.run)
  const steps = await readSteps(deps.control.db, claim.run)
  const events = createRunEvents(deps.control, claim.run, deps.log)
  const results = new Map(steps.filter((step) => step.state === 'succeeded').map((step) => [step.id, step.result ?? {}]))
  const memo = new Map<string, unknown>()
  events.emit(null, 'state', { state: 'running' })
  if (steps.some((step) => step.attempt > 0))
    events.emit(null, 'log', {
      level: 'info',
      text: `resumed; ${results.size} of ${steps.length} steps were done`,
    })
  for (const step of steps) {
    if (step.state === 'succeeded') continue
    const ended = await executeStep(deps, { claim, run, step, events, results, memo, signal })
    if (ended) return
  }
  await settle(deps, { claim, run, events }, 'succeeded', null)
}

/**
 * A run that cannot even be executed (a plan of another version, a defect of ours) fails: left alone it would be claimed again for ever. When the control
 * database is away nothing can be said, and the run goes on when its lease has ended.
 */
export async function abandonRun(deps: ExecuteDeps, claim: Claim, thrown: unknown): Promise<void> {
  const error = asHeddleError(thrown)
  // 40…: the transaction met another one; the same one succeeds the next time.
  const isPassing = /^40/.test(String((error.cause as { code?: unknown } | undefined)?.code))
  if (NOT_OURS.has(error.code) || isPassing || isConnectionLost(error.cause)) throw thrown
  deps.log(`run ${claim.run}: ${describeCause(error.cause ?? error)}`)
  const run = await readRun(deps.control.db, claim.run)
  await settle(deps, { claim, run, events: createRunEvents(deps.control, claim.run, deps.log) }, 'failed', toProblem(error))
}

type StepWork = {
  claim: Claim
  run: RunFacts
  step: StepRow
  events: RunEvents
  results: Map<string, CommandResult>
  memo: Map<string, unknown>
  signal: AbortSignal
}

/** @returns true when the run has ended or is no longer ours */
async function executeStep(deps: ExecuteDeps, work: StepWork): Promise<boolean> {
  const { claim, run, step, events, signal } = work
  const command = deps.commands.get(step.command)
  try {
    if (!command)
      throw fail('RUN_COMMAND_UNKNOWN', {
        what: `Step ${step.id} needs the command "${step.command}", which this version does not have`,
      })
    if (signal.aborted) throw signal.reason
    const result = await attemptStep(deps, work, command)
    await deps.control.db.transaction().execute((transaction) => conclude(transaction, claim, run, step, result))
    deps.failpoint(step.command, 'after-result')
    work.results.set(step.id, result)
    events.emit(step.id, 'step', { id: step.id, state: 'succeeded', outcome: result.outcome ?? null })
    return false
  } catch (thrown) {
    const interruption = signal.aborted ? (signal.reason as Interruption) : null
    if (interruption && interruption.kind !== 'cancel') {
      if (interruption.kind === 'lost')
        deps.log(`run ${run.number}: another worker has taken it over; nothing more is written here`)
      await events.flush()
      return true
    }
    const error = interruption ? fail('RUN_CANCELLED', { what: `Cancelled by ${interruption.by}` }) : asHeddleError(thrown)
    if (NOT_OURS.has(error.code)) {
      deps.log(`run ${run.number}: ${error.message}`)
      return true
    }
    if (isConnectionLost(error.cause)) {
      // The journal cannot be written now; the lease ends, and the run goes on from this step when the control database is back.
      deps.log(`run ${run.number} step ${step.id}: the control database went away: ${(error.cause as Error).message}`)
      return true
    }
    if (error.code === 'INTERNAL_UNEXPECTED') deps.log(`run ${run.number} step ${step.id}: ${describeCause(error.cause)}`)
    const state = interruption ? 'cancelled' : 'failed'
    const problem = toProblem(error)
    await failStep(deps.control.db, claim, step.id, problem, state)
    events.emit(step.id, 'log', { level: 'error', text: `${error.code}: ${error.message}` })
    events.emit(step.id, 'step', { id: step.id, state, problem })
    await settle(deps, work, state, problem)
    return true
  }
}

async function attemptStep(deps: ExecuteDeps, work: StepWork, command: Command): Promise<CommandResult> {
  const { claim, step, events, signal } = work
  for (let attempt = step.attempt + 1; ; attempt++) {
    const context = contextOf(work, attempt)
    // The step was running when a worker was lost: ask what happened before doing it again.
    const confirmed =
      step.state === 'running' && attempt === step.attempt + 1 ? ((await command.confirm?.(context, step.args)) ?? null) : null
    if (attempt === step.attempt + 1) deps.failpoint(step.command, 'before-intent')
    await intend(deps.control.db, claim, step.id)
    events.emit(step.id, 'step', { id: step.id, state: 'running', attempt })
    deps.failpoint(step.command, 'after-intent')
    if (confirmed) {
      events.emit(step.id, 'log', { level: 'info', text: 'was done before the interruption' })
      return confirmed
    }
    try {
      const result = await command.run(context, step.args)
      deps.failpoint(step.command, 'after-effect')
      return result
    } catch (thrown) {
      const error = asHeddleError(thrown)
      const tried = attempt - step.attempt
      if (signal.aborted || tried >= (ATTEMPTS[error.code] ?? 1)) throw thrown
      const pause = Math.min(300 * 4 ** (tried - 1), LONGEST_PAUSE_MS)
      events.emit(step.id, 'log', { level: 'warn', text: `${error.message}; trying again in ${pause / 1000} s` })
      await pauseUnlessAborted(pause, signal)
      if (signal.aborted) throw signal.reason
    }
  }
}

function pauseUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    signal.addEventListener('abort', end)
  })
}

function contextOf({ run, claim, step, events, results, memo, signal }: StepWork, attempt: number): CommandContext {
  return {
    run,
    step: { id: step.id, attempt },
    fence: {
      product: run.product.id, // Lanes that exclude each other share one lease in the environment.
      lane: run.lane === 'data' ? 'control' : run.lane,
      epoch: claim.epoch,
      run: run.id,
      step: step.id,
    },
    signal,
    memo,
    log: (text) => events.emit(step.id, 'log', { level: 'info', text }),
    event: (kind, data) => events.emit(step.id, kind, data),
    result<T>(id: string): T {
      const found = results.get(id)
      if (!found) throw fail('RUN_RESULT_MISSING', { what: `Step ${step.id} needs the result of ${id}, which has not succeeded` })
      return found as T
    },
  }
}

async function settle(
  deps: ExecuteDeps,
  { claim, run, events }: Pick<StepWork, 'claim' | 'run' | 'events'>,
  state: Extract<RunState, 'succeeded' | 'failed' | 'cancelled'>,
  problem: ReturnType<typeof toProblem> | null,
): Promise<void> {
  events.emit(null, 'state', { state, problem })
  events.emit(null, 'end', { state })
  await events.flush()
  await deps.control.db.transaction().execute(async (transaction) => {
    await finishRun(transaction, claim, state, problem)
    await deps.settled(transaction, run, state)
  })
}

function describeCause(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause)
}
