import { every } from '../../client/client.ts'
import { fail } from '../../core/fail.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { followRequest } from '../follow-request.ts'
import { parseNumber } from '../resolve-target.ts'
import { renderRequest, renderRequestTable } from '../views/human/request.ts'

export async function listRequests(context: Context): Promise<number> {
  const client = await context.client()
  const mine = context.has('mine') || undefined
  const open = context.has('all') ? undefined : true
  const requests = await every((cursor) => client.requests({ mine, open, cursor }))
  context.print({ requests }, (style) =>
    requests.length > 0 ? renderRequestTable(requests, style) : ['No request waits. All of them: heddle request ls --all'],
  )
  return EXIT.ok
}

export async function showRequest(context: Context): Promise<number> {
  const request = await (await context.client()).request(parseNumber(context.args[0], 'request'))
  context.print(request, (style) => renderRequest(request, style))
  return EXIT.ok
}

export async function withdrawRequest(context: Context): Promise<number> {
  return change(context, 'withdraw')
}

export async function undoRequest(context: Context): Promise<number> {
  return change(context, 'undo')
}

async function change(context: Context, verb: 'withdraw' | 'undo'): Promise<number> {
  const client = await context.client()
  const number = parseNumber(context.args[0], 'request')
  if (context.flags.dryRun) {
    const request = await client.request(number)
    const open = request.actions[verb]
    context.print({ type: 'result', dryRun: true, open, request }, () => [
      open
        ? `Would ${verb} request ${number}: ${request.title}`
        : `Request ${number} cannot be ${verb === 'undo' ? 'undone' : 'withdrawn'} now: ${request.next}`,
    ])
    return EXIT.ok
  }
  const request = await client.decideRequest(number, verb, context.option('note'))
  return followRequest(context, client, request, { waits: verb === 'undo', done: () => [] })
}

/** `heddle request edit 55 name=orders`: the named fields of the payload change, the others stay. */
export async function editRequest(context: Context): Promise<number> {
  const client = await context.client()
  const number = parseNumber(context.args[0], 'request')
  const changes = Object.fromEntries(
    context.args.slice(1).map((text) => {
      const equals = text!.indexOf('=')
      if (equals < 1) throw fail('CLI_USAGE_INVALID', { what: `"${text}" is no key=value` })
      return [text!.slice(0, equals), text!.slice(equals + 1)]
    }),
  )
  const before = await client.request(number)
  const payload = { ...before.payload, ...changes }
  if (context.flags.dryRun) {
    context.print({ type: 'result', dryRun: true, payload }, () => [
      `Would change request ${number} to ${JSON.stringify(payload)}`,
    ])
    return EXIT.ok
  }
  const request = await client.editRequest(number, payload)
  context.print(request, (style) => renderRequest(request, style))
  return EXIT.ok
}
