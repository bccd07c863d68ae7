import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { followRequest } from '../follow-request.ts'
import { followOrReport } from '../follow-run.ts'
import { resolveTarget, type Target } from '../resolve-target.ts'
import { describeRun } from '../views/human/run.ts'

export const approve = (context: Context) => decide(context, 'approve')
export const deny = (context: Context) => decide(context, 'deny')
export const retry = (context: Context) => decide(context, 'retry')

/** Approve, deny or retry a request or a run. */
async function decide(context: Context, verb: 'approve' | 'deny' | 'retry'): Promise<number> {
  const client = await context.client()
  const target = await resolveTarget(client, context.args, verb)
  if (context.flags.dryRun) {
    const value = target.noun === 'request' ? { request: target.request } : { run: target.run }
    context.print({ type: 'result', dryRun: true, ...value }, () => [
      `Would ${verb} ${target.noun} ${target.number}: ${titleOf(target)}`,
    ])
    return EXIT.ok
  }
  const note = context.option('note')
  const waits = verb === 'retry'
  if (target.noun === 'request') {
    const request = await client.decideRequest(target.number, verb, note)
    return followRequest(context, client, request, { waits, done: () => [] })
  }
  const run = await client.decideRun(target.number, verb, note)
  if (verb === 'deny') {
    context.print({ type: 'result', run }, () => [`Denied run ${run.number}; nothing of it is done.`])
    return EXIT.ok
  }
  return followOrReport(context, client, run.number, { waits })
}

function titleOf(target: Target): string {
  return target.noun === 'request' ? target.request.title : describeRun(target.run)
}
