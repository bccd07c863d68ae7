import { fail } from '../../core/fail.ts'
import { readAll } from '../ask.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Any route by hand; the body is JSON from `--body`, or from stdin with `--body -`. Prints what the server answered. */
export async function callApi(context: Context): Promise<number> {
  const method = METHODS.find((each) => each === context.args[0]!.toUpperCase())
  if (!method)
    throw fail('CLI_USAGE_INVALID', { what: `"${context.args[0]}" is no method`, fix: `One of ${METHODS.join(', ')}.` })
  const path = `/${context.args[1]!.replace(/^\/+(api\/v1\/?)?/, '')}`
  const given = context.option('body')
  const text = given === '-' ? await readAll(context) : given
  const body = text === undefined ? undefined : parseBody(text)
  if (context.flags.dryRun && method !== 'GET') {
    context.print({ type: 'result', dryRun: true, method, path }, () => [`Would call ${method} /api/v1${path}`])
    return EXIT.ok
  }
  const answer = await (await context.client()).raw(method, path, body)
  if (answer !== undefined) context.io.stdout.write(`${JSON.stringify(answer, null, context.flags.json ? undefined : 2)}\n`)
  return EXIT.ok
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw fail('CLI_USAGE_INVALID', { what: '--body is not JSON', why: (cause as Error).message })
  }
}
