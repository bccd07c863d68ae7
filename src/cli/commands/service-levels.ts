import { every } from '../../client/client.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { parseNumber } from '../resolve-target.ts'
import { renderIncident, renderIncidentTable, renderServiceLevels } from '../views/human/service-levels.ts'

export async function serviceLevels(context: Context): Promise<number> {
  const [client, product, environment] = await Promise.all([
    context.client(),
    context.product(context.args[0]),
    context.environment(),
  ])
  const { items: levels } = await client.serviceLevels(product, { environment })
  context.print({ product, levels }, (style) =>
    levels.length > 0
      ? renderServiceLevels(levels, style)
      : [`${product} promises nothing yet.  Add a service-level to a port of its spec.`],
  )
  return EXIT.ok
}

export async function incidents(context: Context): Promise<number> {
  const client = await context.client()
  const product = context.args[0] === undefined ? undefined : await context.product(context.args[0])
  const open = context.has('all') ? undefined : true
  const found = open
    ? await every((cursor) => client.incidents({ product, open, cursor }))
    : (await client.incidents({ product })).items
  context.print({ incidents: found }, (style) => {
    if (found.length === 0) return [open ? 'No open incident.' : 'No incident.']
    const table = renderIncidentTable(found, style)
    return found.length === 1 ? [...table, '', ...renderIncident(found[0]!, style)] : table
  })
  return EXIT.ok
}

/** Says "I have it": the incident stays until the level holds again. */
export async function acknowledge(context: Context): Promise<number> {
  const client = await context.client()
  const number = parseNumber(context.args[0], 'incident')
  if (context.flags.dryRun) {
    const incident = await client.incident(number)
    context.print({ type: 'result', dryRun: true, incident }, () => [`Would acknowledge incident ${number}: ${incident.slo}.`])
    return EXIT.ok
  }
  const incident = await client.acknowledgeIncident(number)
  context.print(incident, (style) => renderIncident(incident, style))
  return EXIT.ok
}
