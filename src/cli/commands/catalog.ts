import { fail } from '../../core/fail.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderCount, renderHits, renderLineage } from '../views/human/catalog.ts'

const MAX_HOPS = 20

export async function search(context: Context): Promise<number> {
  const client = await context.client()
  const q = context.args.filter((word) => word !== undefined).join(' ')
  const { items: hits, next } = await client.search({
    q,
    domain: context.option('domain'),
    sort: context.option('sort'),
    state: context.has('retired') ? 'delisted' : undefined,
  })
  context.print({ hits, next }, (style) => {
    const [first] = hits
    if (!first)
      return [`Nothing is called or described like "${q}".  heddle ls products   heddle search ${q.split(' ')[0]} --retired`]
    return [...renderHits(hits, style), '', `${renderCount(hits, next !== null)}.  Next:  heddle show ${first.product.address}`]
  })
  return EXIT.ok
}

export async function lineage(context: Context): Promise<number> {
  const of = context.args[0] ?? (await context.product(undefined))
  const [client, environment] = await Promise.all([context.client(), context.environment()])
  const graph = await client.lineage({
    of,
    level: context.option('level'),
    up: hops(context, 'up'),
    down: hops(context, 'down'),
    environment,
  })
  context.print(graph, (style) => {
    const [, product = of] = /^(?:source:)?([^/#]+\/[^/#.]+)/.exec(of) ?? []
    return [...renderLineage(graph, style), '', `Next:  heddle show ${product}`]
  })
  return EXIT.ok
}

function hops(context: Context, side: 'up' | 'down'): number | undefined {
  const text = context.option(side)
  if (text === undefined) return undefined
  if (/^\d{1,2}$/.test(text) && Number(text) <= MAX_HOPS) return Number(text)
  throw fail('CLI_USAGE_INVALID', {
    what: `--${side} ${text} is not a number of hops`,
    fix: `A whole number, at most ${MAX_HOPS}.`,
  })
}
