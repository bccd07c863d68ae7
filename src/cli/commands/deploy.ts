import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Plan, RunSummary } from '../../client/types.ts'
import { fail } from '../../core/fail.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { followOrReport } from '../follow-run.ts'
import { renderPlan } from '../views/human/plan.ts'
import { planTree } from './plan.ts'

/** Deploys a pushed commit, by default the head of the product's main branch. */
export async function deploy(context: Context): Promise<number> {
  if (context.flags.dryRun) return planTree(context)
  const [client, address, environment] = await Promise.all([
    context.client(),
    context.product(context.args[0]),
    context.environment(),
  ])
  const answer = await client.deploy(address, { environment, commit: await wholeCommit(context) })
  if (isPlan(answer)) {
    context.print({ type: 'result', outcome: 'unchanged', plan: answer }, (style) =>
      answer.diagnostics.length > 0 ? renderPlan(answer, style) : [answer.summary],
    )
    return EXIT.ok
  }
  return followOrReport(context, client, answer.number, { waits: true })
}

/** Runs the current release again: the data, not the code. */
export async function refresh(context: Context): Promise<number> {
  const [client, address, environment] = await Promise.all([
    context.client(),
    context.product(context.args[0]),
    context.environment(),
  ])
  if (context.flags.dryRun) {
    const { environments } = await client.product(address)
    context.print({ type: 'result', dryRun: true, product: address, environments }, () => [
      `Would refresh ${address}${environment === undefined ? '' : ` in ${environment}`}`,
    ])
    return EXIT.ok
  }
  const run = await client.refresh(address, { environment })
  return followOrReport(context, client, run.number, { waits: true })
}

/** The server takes whole commit ids; the working tree knows what a short one or a tag means. */
async function wholeCommit(context: Context): Promise<string | undefined> {
  const named = context.option('commit')
  if (named === undefined || /^[0-9a-f]{40}$/.test(named)) return named
  const found = promisify(execFile)('git', [
    '-C',
    context.dir,
    'rev-parse',
    '--verify',
    '--quiet',
    '--end-of-options',
    `${named}^{commit}`,
  ])
  const id = await found.then(({ stdout }) => stdout.trim()).catch(() => null)
  if (id === null)
    throw fail('CLI_USAGE_INVALID', {
      what: `"${named}" is no commit here`,
      fix: 'Give the whole commit id, or go into the repository.',
    })
  return id
}

export function isPlan(answer: RunSummary | Plan): answer is Plan {
  return 'steps' in answer
}
