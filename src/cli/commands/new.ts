import type { NewRequest } from '../../client/types.ts'
import { fail } from '../../core/fail.ts'
import { isName } from '../../core/names.ts'
import { askChoice, askText, canAsk, confirm } from '../ask.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { followRequest } from '../follow-request.ts'
import { renderPlan } from '../views/human/plan.ts'
import { renderRequest } from '../views/human/request.ts'

/** A new product: plan first, then the question, then the request and its run. */
export async function newProduct(context: Context): Promise<number> {
  const client = await context.client()
  const [named, ...rest] = (context.args[0] ?? '').split('/').reverse()
  const written = rest.length > 0 ? rest.toReversed().join('/') : undefined
  const flag = context.option('domain')
  if (written !== undefined && flag !== undefined && written !== flag)
    throw fail('CLI_USAGE_INVALID', {
      what: `"${context.args[0]}" names the domain ${written}, --domain names ${flag}`,
      fix: 'Give one.',
    })
  const domain = flag ?? written ?? (await askDomain(context))
  const name =
    named || (await askText(context, { question: 'Name of the product', flag: 'the name: heddle new NAME', check: checkName }))
  const payload = { domain, name, ...given(context, ['title', 'purpose', 'owner', 'template']) }
  const request: NewRequest = { kind: 'product', payload }

  const dry = await client.createRequest(request, { dryRun: true })
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, request: dry }, (style) => [
      ...(dry.plan ? renderPlan(dry.plan, style) : []),
      dry.next,
      'Nothing was asked for yet.',
    ])
    return EXIT.ok
  }
  context.note((style) => [
    ...(dry.plan ? renderPlan(dry.plan, style) : []),
    ...(dry.approvers.length > 0 ? [`Approved by  ${dry.approvers.join(' or ')}`] : []),
  ])
  if (!(await confirm(context, `Create ${domain}/${name}?`))) {
    context.note(() => ['Nothing was created.'])
    return EXIT.failed
  }
  const made = await client.createRequest(request)
  return followRequest(context, client, made, {
    waits: true,
    done: () => [`Created ${domain}/${name}.`, `  Next  heddle clone ${domain}/${name}`],
  })
}

/** A new domain: approved by the platform team, made at once when that is who asks. */
export async function newDomain(context: Context): Promise<number> {
  const client = await context.client()
  const name = context.args[0]!
  const owners = (context.option('owner') ?? (await client.me()).name).split(',').map((owner) => owner.trim())
  const request: NewRequest = { kind: 'domain', payload: { name, title: context.option('title') ?? name, owners } }
  const made = await client.createRequest(request, { dryRun: context.flags.dryRun })
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, request: made }, (style) => [
      ...renderRequest(made, style),
      'Nothing was asked for yet.',
    ])
    return EXIT.ok
  }
  return followRequest(context, client, made, { waits: true, done: () => [`  Next  heddle new NAME --domain ${name}`] })
}

async function askDomain(context: Context): Promise<string> {
  const flag = '--domain NAME'
  if (!canAsk(context)) return askText(context, { question: 'Domain of the product', flag })
  const { items } = await (await context.client()).domains()
  return askChoice(context, { question: 'Domain of the product', flag, choices: items.map((domain) => domain.name) })
}

function checkName(text: string): string | undefined {
  return isName(text) ? undefined : 'Lower-case letters, digits and single hyphens, starting with a letter'
}

function given(context: Context, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (context.option(name) === undefined ? [] : [[name, context.option(name)!]])))
}
