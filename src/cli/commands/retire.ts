import type { NewRequest, Request } from '../../client/types.ts'
import { fail } from '../../core/fail.ts'
import { askText, confirm } from '../ask.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { followRequest } from '../follow-request.ts'
import { renderPlan } from '../views/human/plan.ts'

/** Shows who is hit and every step; whoever goes on types the product's name. */
export async function retire(context: Context): Promise<number> {
  const client = await context.client()
  const product = await context.product(context.args[0])
  const because = context.option('because')
  const request: NewRequest = { kind: 'retire', payload: { product, ...(because !== undefined && { because }) } }
  const dry = await client.createRequest(request, { dryRun: true })
  if (context.flags.dryRun) return showDry(context, dry, `To run: heddle retire ${product}`)
  context.note((style) => (dry.plan ? renderPlan(dry.plan, style) : []))
  const refused = dry.plan?.diagnostics.find((diagnostic) => diagnostic.severity === 'error')
  // The server refuses it too, with the same words; nobody types a name for nothing.
  if (!refused) await confirmName(context, product)
  const made = await client.createRequest(request)
  return followRequest(context, client, made, {
    waits: true,
    done: () => [
      `Retired ${product}. Nothing of it is left but its archive and what it shared.`,
      `  Certificate  heddle api GET /products/${product}/certificate`,
      `  Back         heddle restore ${product}`,
    ],
  })
}

export async function restore(context: Context): Promise<number> {
  const client = await context.client()
  const product = await context.product(context.args[0])
  const request: NewRequest = { kind: 'restore', payload: { product } }
  const dry = await client.createRequest(request, { dryRun: true })
  if (context.flags.dryRun) return showDry(context, dry, `To run: heddle restore ${product}`)
  context.note((style) => (dry.plan ? renderPlan(dry.plan, style) : []))
  if (!(await confirm(context, `Restore ${product}?`))) return EXIT.failed
  const made = await client.createRequest(request)
  return followRequest(context, client, made, {
    waits: true,
    done: () => [`Restored ${product}. Agreements are not: who read it asks again.`, `  Next  heddle show ${product}`],
  })
}

function showDry(context: Context, dry: Request, next: string): number {
  context.print({ type: 'result', dryRun: true, request: dry, plan: dry.plan }, (style) => [
    ...(dry.plan ? renderPlan(dry.plan, style) : []),
    'Nothing was done.',
    next,
  ])
  return EXIT.ok
}

/** @throws CLI_INPUT_MISSING where nobody can be asked, CLI_USAGE_INVALID for another name */
async function confirmName(context: Context, product: string): Promise<void> {
  const typed =
    context.option('confirm') ??
    (await askText(context, {
      question: `Type ${product} to retire it`,
      flag: `--confirm ${product}`,
      check: (text) => (text === product ? undefined : `Type ${product}, or press Ctrl-C`),
    }))
  if (typed === product) return
  throw fail('CLI_USAGE_INVALID', { what: `"${typed}" is not ${product}`, fix: `--confirm ${product}` })
}
