import { fail } from '../../core/fail.ts'
import { confirm } from '../ask.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { followOrReport } from '../follow-run.ts'
import { renderPlan } from '../views/human/plan.ts'

/** Shows what would be switched, asks, switches. */
export async function rollback(context: Context): Promise<number> {
  const client = await context.client()
  const [address, environment] = [await context.product(context.args[0]), await context.environment()]
  const wanted = { environment, to: releaseNumber(context.option('to')) }
  const plan = await client.planRollback(address, wanted)
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, plan }, (style) => renderPlan(plan, style))
    return EXIT.ok
  }
  context.note((style) => renderPlan(plan, style))
  if (!(await confirm(context, `Roll back ${address}?`))) return EXIT.failed
  const run = await client.rollback(address, wanted)
  const code = await followOrReport(context, client, run.number, { waits: true })
  if (code !== EXIT.ok) return code
  const { environments } = await client.product(address)
  const pinned = environments.find(({ name }) => name === run.environment)?.pinned
  if (pinned)
    context.note(() => [
      `Refreshes run this release. The next push deploys again, or  heddle unpin ${address} --env ${run.environment}`,
    ])
  return code
}

/** `r3` or `3`. */
function releaseNumber(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const found = /^r?([1-9][0-9]{0,8})$/.exec(text)
  if (!found) throw fail('CLI_USAGE_INVALID', { what: `"${text}" is no release`, fix: 'Write r3, as heddle show does.' })
  return Number(found[1])
}
