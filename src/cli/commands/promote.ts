import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { followOrReport } from '../follow-run.ts'
import { isPlan } from './deploy.ts'

/** Moves a release on to the next environment and follows the run. */
export async function promote(context: Context): Promise<number> {
  const [client, address] = await Promise.all([context.client(), context.product(context.args[0])])
  const [from, to] = [context.option('from'), context.option('to')]
  if (context.flags.dryRun) {
    const { environments } = await client.product(address)
    context.print({ type: 'result', dryRun: true, product: address, environments }, () => [
      `Would promote ${address}${from === undefined ? '' : ` from ${from}`}${to === undefined ? '' : ` to ${to}`}:`,
      ...environments.map(
        ({ name, release }) => `  ${name}  ${release ? `r${release.number} · ${release.label}` : 'no release'}`,
      ),
    ])
    return EXIT.ok
  }
  const run = await client.promote(address, { from, to })
  return followOrReport(context, client, run.number, { waits: true })
}

/** Lets go what a roll back pinned: the environment gets what main says again. */
export async function unpin(context: Context): Promise<number> {
  const [client, address, environment] = await Promise.all([
    context.client(),
    context.product(context.args[0]),
    context.environment(),
  ])
  if (context.flags.dryRun) {
    const { environments } = await client.product(address)
    context.print({ type: 'result', dryRun: true, product: address, environments }, () =>
      environments.map(({ name, release, pinned }) =>
        pinned && release ? `Would unpin r${release.number} · ${release.label} in ${name}` : `${name} is not pinned`,
      ),
    )
    return EXIT.ok
  }
  const answer = await client.unpin(address, { environment })
  if (isPlan(answer)) {
    context.print({ type: 'result', outcome: 'unchanged', plan: answer }, () => [`Unpinned. ${answer.summary}`])
    return EXIT.ok
  }
  return followOrReport(context, client, answer.number, { waits: true })
}
