import type { Client } from '../client/client.ts'
import { isClientError } from '../client/client-error.ts'
import type { Request, Run } from '../client/types.ts'
import { fail } from '../core/fail.ts'

export type Target = { noun: 'request'; number: number; request: Request } | { noun: 'run'; number: number; run: Run }
type Action = 'approve' | 'deny' | 'retry'

export function parseNumber(text: string | undefined, noun: string): number {
  if (text === undefined || !/^[1-9][0-9]{0,14}$/.test(text))
    throw fail('CLI_USAGE_INVALID', { what: `"${text ?? ''}" is not the number of a ${noun}` })
  return Number(text)
}

/**
 * Requests and runs count for themselves, so a number alone can mean both. The one that the action is open for is meant; where that is both, or the
 * action is open for neither of two, the noun must be said.
 * @param words `55`, or `run 812`, `request 55`
 * @throws CLI_USAGE_INVALID, or the server's problem when there is neither
 */
export async function resolveTarget(client: Client, words: readonly (string | undefined)[], action: Action): Promise<Target> {
  const [first, second] = words
  const noun = first === 'run' || first === 'request' ? first : undefined
  if (noun === undefined && second !== undefined)
    throw fail('CLI_USAGE_INVALID', {
      what: `"${first}" is neither run nor request`,
      fix: `Write heddle ${action} run ${second}, or heddle ${action} request ${second}.`,
    })
  const number = parseNumber(noun === undefined ? first : second, noun ?? 'run or request')
  const [request, run] = await Promise.all([
    noun === 'run' ? null : client.request(number).catch(absent),
    noun === 'request' ? null : client.run(number).catch(absent),
  ])
  const targets: Target[] = []
  if (request && !('absence' in request)) targets.push({ noun: 'request', number, request })
  if (run && !('absence' in run)) targets.push({ noun: 'run', number, run })
  if (targets.length === 0) throw request && 'absence' in request ? request.absence : (run as { absence: unknown }).absence
  const open = targets.filter((target) => isOpen(target, action))
  const chosen = targets.length === 1 ? targets[0] : open.length === 1 ? open[0] : undefined
  if (chosen === undefined)
    throw fail('CLI_USAGE_INVALID', {
      what: `There are a run ${number} and a request ${number}`,
      fix: `Write heddle ${action} run ${number}, or heddle ${action} request ${number}.`,
    })
  return chosen
}

function isOpen(target: Target, action: Action): boolean {
  if (target.noun === 'request') return target.request.actions[action]
  return action === 'retry' ? target.run.actions.retry : target.run.actions.approve
}

function absent(error: unknown): { absence: unknown } {
  if (isClientError(error) && error.status === 404) return { absence: error }
  throw error
}
