import type { Client } from '../../client/client.ts'
import type { Run, RunEvent } from '../../client/types.ts'
import { fail } from '../../core/fail.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { exitCodeOfRun, renderDetached } from '../follow-run.ts'
import { parseNumber } from '../resolve-target.ts'
import { renderLogLines } from '../views/human/log.ts'
import { describeRun, ENDED, renderRunEnd } from '../views/human/run.ts'

/** Without `-f` a run that still goes on is read until its stream has nothing more for so long. */
const CAUGHT_UP_MS = 400

/** The log of a run. Without a number the newest run is taken and said; `--failed` looks at the newest failed one and its failed step. */
export async function logs(context: Context): Promise<number> {
  const client = await context.client()
  const { has, option, flags } = context
  const tail = option('tail') === undefined ? null : parseNumber(option('tail'), 'line')
  const run = await client.run(
    context.args[0] === undefined ? await newestRun(context, client) : parseNumber(context.args[0], 'run'),
  )
  const step = has('failed') ? (run.steps.find((each) => each.state === 'failed')?.id ?? null) : (option('step') ?? null)
  if (option('step') !== undefined && !run.steps.some((each) => each.id === step || each.stage === step))
    throw fail('CLI_USAGE_INVALID', {
      what: `Run ${run.number} has no step "${option('step')}"`,
      fix: `One of ${[...new Set(run.steps.map((each) => each.stage))].join(', ')}.`,
    })
  const wanted = new Set(run.steps.filter((each) => each.id === step || each.stage === step).map((each) => each.id))
  const grep = option('grep')?.toLowerCase()
  const matches = (event: RunEvent) =>
    (step === null || (event.step !== null && wanted.has(event.step))) &&
    (grep === undefined ||
      String(event.data.text ?? '')
        .toLowerCase()
        .includes(grep))

  const kept: RunEvent[] = []
  const write = (event: RunEvent) => {
    if (flags.json) context.stream({ type: 'event', ...event })
    else {
      const lines = renderLogLines(event, context.style())
      if (lines.length > 0) context.io.stdout.write(`${lines.join('\n')}\n`)
    }
  }
  const outcome = await readLog(context, client, run, (event) => {
    if (event.kind !== 'log' || !matches(event)) return
    if (tail === null) write(event)
    else if (kept.push(event) > tail) kept.shift()
  })
  for (const event of kept) write(event)

  const after = await client.run(run.number)
  context.stream({ type: 'result', outcome, run: after })
  if (outcome === 'detached' || outcome === 'timeout') {
    context.note(() => renderDetached({ run: after, outcome }))
    return exitCodeOfRun({ run: after, outcome })
  }
  if (ENDED.has(after.state)) context.note((style) => renderRunEnd(after, style))
  return has('follow') ? exitCodeOfRun({ run: after, outcome: 'ended' }) : EXIT.ok
}

async function newestRun(context: Context, client: Client): Promise<number> {
  const { items } = await client.runs({ limit: 1, state: context.has('failed') ? 'failed' : undefined })
  const [run] = items
  if (!run)
    throw fail('CLI_USAGE_INVALID', {
      what: context.has('failed') ? 'No run has failed' : 'There is no run yet',
      fix: 'All of them: heddle runs',
    })
  context.note(() => [`run ${run.number}, the newest${context.has('failed') ? ' failed' : ''}: ${describeRun(run)}`])
  return run.number
}

async function readLog(
  { has, io, flags }: Context,
  client: Client,
  run: Run,
  take: (event: RunEvent) => void,
): Promise<'ended' | 'read' | 'detached' | 'timeout'> {
  const follow = has('follow')
  const stop = new AbortController()
  let outcome: 'ended' | 'read' | 'detached' | 'timeout' = 'ended'
  const end = (why: typeof outcome) => {
    outcome = why
    stop.abort()
  }
  const release = io.onInterrupt(() => end('detached'))
  const timeout = flags.timeoutMs === undefined ? undefined : setTimeout(() => end('timeout'), flags.timeoutMs)
  const reads = !follow && !ENDED.has(run.state)
  let quiet = reads ? setTimeout(() => end('read'), CAUGHT_UP_MS * 5) : undefined
  let last: number | undefined
  try {
    // A retried run has the `end` of its earlier attempt in its log, so reading goes on while the run does.
    for (let going = true; going && !stop.signal.aborted; ) {
      for await (const event of client.runEvents(run.number, {
        signal: stop.signal,
        ...(last !== undefined && { after: last }),
      })) {
        last = event.id
        clearTimeout(quiet)
        if (reads) quiet = setTimeout(() => end('read'), CAUGHT_UP_MS)
        take(event)
      }
      going = !stop.signal.aborted && !ENDED.has((await client.run(run.number)).state)
    }
  } finally {
    clearTimeout(quiet)
    clearTimeout(timeout)
    release()
  }
  return outcome
}
