import { fail } from '../../core/fail.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { parseNumber } from '../resolve-target.ts'
import { renderRunTable } from '../views/human/run.ts'

const DEFAULT_LIMIT = 20

export async function listRuns(context: Context): Promise<number> {
  const client = await context.client()
  const limit = context.option('limit') === undefined ? DEFAULT_LIMIT : Number(context.option('limit'))
  if (!Number.isInteger(limit) || limit < 1)
    throw fail('CLI_USAGE_INVALID', { what: `--limit ${context.option('limit')} is not a count` })
  const product = context.args[0] === undefined ? undefined : await context.product(context.args[0])
  const { items: runs } = await client.runs({ product, state: context.has('failed') ? 'failed' : context.option('state'), limit })
  context.print({ runs }, (style) => (runs.length > 0 ? renderRunTable(runs, style) : ['No run.']))
  return EXIT.ok
}

/** Ends a run; what it has published stays. */
export async function cancelRun(context: Context): Promise<number> {
  const client = await context.client()
  const number = parseNumber(context.args[0], 'run')
  if (context.flags.dryRun) {
    const run = await client.run(number)
    context.print({ type: 'result', dryRun: true, run }, () => [
      run.actions.cancel
        ? `Would cancel run ${number}: ${run.kind} ${run.product}`
        : `Run ${number} cannot be cancelled: it has ${run.state}`,
    ])
    return EXIT.ok
  }
  const run = await client.decideRun(number, 'cancel', context.option('note'))
  context.print({ type: 'result', run }, () => [
    run.state === 'cancelled' ? `Cancelled run ${number}.` : `Run ${number} is being cancelled.  Watch  heddle logs ${number} -f`,
  ])
  return EXIT.ok
}
