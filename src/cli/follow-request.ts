import type { Client } from '../client/client.ts'
import type { Request } from '../client/types.ts'
import type { Context } from './context.ts'
import { EXIT } from './exit-code.ts'
import { exitCodeOfRun, followRun, renderDetached } from './follow-run.ts'
import { renderActions } from './views/human/request.ts'
import { renderRunEnd } from './views/human/run.ts'
import { cleanLine, showState } from './views/human/style.ts'

const POLL_MS = 500
/** An approved request gets its run within this time, or the server is asked no more. */
const RUN_START_MS = 10_000

/**
 * Goes along with a request: to the end of its run when it is approved; where it waits for people, until they decided with `--wait`, else it returns
 * with exit code 6.
 * @param done the last lines when everything succeeded
 */
export async function followRequest(
  context: Context,
  client: Client,
  first: Request,
  { waits, done }: { waits: boolean; done: (request: Request) => string[] },
): Promise<number> {
  const follows = context.flags.wait ?? waits
  let request = first
  if (follows) request = await untilRunOrRest(context, client, request)
  if (
    !follows ||
    request.run === null ||
    request.state === 'submitted' ||
    request.state === 'denied' ||
    request.state === 'withdrawn'
  ) {
    context.print({ type: 'result', request }, (style) => [
      `request ${request.number}  ${showState(style, 'request', request.state)}  ${cleanLine(request.title)}`,
      ...(request.next === '' ? [] : [`  ${cleanLine(request.next)}`]),
      ...(request.state === 'done' ? done(request) : []),
      ...(request.state === 'submitted' ? [`  Watch  heddle request show ${request.number}`] : []),
      ...renderActions(request).map((line) => `  ${line}`),
    ])
    return exitCodeOfRequest(request, follows)
  }
  const followed = await followRun(context, request.run)
  const after = await client.request(request.number)
  context.print({ type: 'result', outcome: followed.outcome, request: after, run: followed.run }, (style) => {
    if (followed.outcome !== 'ended') return renderDetached(followed)
    return [
      ...renderRunEnd(followed.run, style),
      ...(followed.run.state === 'succeeded' ? done(after) : renderActions(after).map((line) => `  ${line}`)),
    ]
  })
  return exitCodeOfRun(followed)
}

async function untilRunOrRest(context: Context, client: Client, first: Request): Promise<Request> {
  const started = performance.now()
  const until = context.flags.timeoutMs ?? Number.POSITIVE_INFINITY
  let request = first
  let interrupted = false
  const release = context.io.onInterrupt(() => {
    interrupted = true
  })
  try {
    while (!interrupted && performance.now() - started < until) {
      const waitsForPeople = request.state === 'submitted' && context.flags.wait === true
      const waitsForRun = request.state === 'approved' && request.run === null && performance.now() - started < RUN_START_MS
      if (!waitsForPeople && !waitsForRun) break
      await new Promise((resolve) => setTimeout(resolve, waitsForPeople ? POLL_MS * 2 : POLL_MS))
      request = await client.request(request.number)
    }
  } finally {
    release()
  }
  return request
}

function exitCodeOfRequest({ state }: Request, follows: boolean): number {
  if (state === 'failed') return EXIT.runFailed
  if (state === 'denied') return EXIT.failed
  return state === 'submitted' && follows ? EXIT.waiting : EXIT.ok
}
