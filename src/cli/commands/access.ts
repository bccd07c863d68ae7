import { every } from '../../client/client.ts'
import type { NewRequest } from '../../client/types.ts'
import { parseDuration } from '../../core/duration.ts'
import { confirm } from '../ask.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { followRequest } from '../follow-request.ts'
import { followOrReport } from '../follow-run.ts'
import { parseNumber } from '../resolve-target.ts'
import { renderAgreement, renderAgreementTable } from '../views/human/access.ts'
import { renderRequest } from '../views/human/request.ts'

/** Asks for a port for a purpose and a time; approved requests are followed until the grant is proven. */
export async function requestAccess(context: Context): Promise<number> {
  const [client, product, environment] = await Promise.all([
    context.client(),
    context.product(context.args[0]),
    context.environment(),
  ])
  const duration = context.option('until')
  if (duration !== undefined) parseDuration(duration)
  const optional = {
    environment,
    duration,
    offer: context.option('offer'),
    justification: context.option('justification'),
    subject: context.option('for'),
  }
  const request: NewRequest = {
    kind: 'access',
    payload: {
      product,
      port: context.option('port')!,
      purpose: context.option('purpose')!,
      ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    },
  }
  const made = await client.createRequest(request, { dryRun: context.flags.dryRun })
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, request: made }, (style) => [
      ...renderRequest(made, style),
      'Nothing was asked for yet.',
    ])
    return EXIT.ok
  }
  if (made.repeated) context.note(() => [`The same is asked for already, by request ${made.number}; nothing new was sent.`])
  return followRequest(context, client, made, {
    waits: true,
    done: () => [`  Next  heddle connect ${product}${environment === undefined ? '' : ` --env ${environment}`}`],
  })
}

export async function listAccess(context: Context): Promise<number> {
  const client = await context.client()
  const product = context.args[0] === undefined ? undefined : await context.product(context.args[0])
  const agreements = await every((cursor) =>
    product === undefined ? client.agreements({ cursor }) : client.agreements({ product, cursor }),
  )
  context.print({ agreements }, (style) =>
    agreements.length > 0
      ? renderAgreementTable(agreements, style)
      : ['No agreement.  heddle access request domain/product --port PORT --purpose WHY'],
  )
  return EXIT.ok
}

export async function showAccess(context: Context): Promise<number> {
  const agreement = await (await context.client()).agreement(parseNumber(context.args[0], 'agreement'))
  context.print(agreement, (style) => renderAgreement(agreement, style))
  return EXIT.ok
}

export async function revokeAccess(context: Context): Promise<number> {
  const client = await context.client()
  const number = parseNumber(context.args[0], 'agreement')
  const agreement = await client.agreement(number)
  const sentence = `${agreement.subject} loses ${agreement.product}/${agreement.port} in ${agreement.environment}, open sessions included`
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, agreement }, () => [`Would revoke agreement ${number}: ${sentence}.`])
    return EXIT.ok
  }
  if (!(await confirm(context, `Revoke agreement ${number}? ${sentence}`))) return EXIT.failed
  const run = await client.revokeAgreement(number, context.option('reason') ?? 'revoked from the command line')
  return followOrReport(context, client, run.number, { waits: true })
}
