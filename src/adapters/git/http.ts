import { stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename, join, resolve } from 'node:path'
import { isName } from '../../core/names.ts'
import type { Push, PushVerdict } from '../../platform/repository.ts'
import { type Backend, type BackendEnd, CLIENT_GONE, HOOK_ENV, runBackend } from './backend.ts'
import { type Git, locateGit, quarantineEnv, repositoryFolder, runGit } from './git.ts'
import { answerHooks, type HookQuestion, type Quarantine } from './hook-link.ts'
import { hooksStand, installHooks } from './hooks.ts'
import { createLeftovers } from './leftovers.ts'
import { findRefusedRefs } from './refs.ts'
import { createSlots } from './slots.ts'
import { createTurns } from './turns.ts'

export type GitService = 'git-upload-pack' | 'git-receive-pack'
export type GitAuthorization =
  | { ok: true; productId: string; subject: string }
  | { ok: false; status: 401 | 403 | 404; message: string }

export type GitHttpDeps = {
  repositoryRoot: string
  hooksDir: string
  /** asked before anything is started; the message is shown in the client's terminal */
  authorize(request: {
    authorization: string | undefined
    domain: string
    product: string
    service: GitService
  }): Promise<GitAuthorization>
  /** Judges a push whose objects are in quarantine. An accepted push may still lose a race for its branch: only onPostReceive says what moved. */
  onPreReceive(push: Push & { quarantine: Quarantine }): Promise<PushVerdict>
  /** The refs that moved. After a crash it may never have been called: compare Repository.head with what was last seen. */
  onPostReceive(push: Push): Promise<{ lines: string[] }>
  /** git processes answering clients at one time; others wait in line */
  maxConcurrent: number
  log(line: string): void
  limits?: Partial<GitHttpLimits>
}

/** Milliseconds. `idle`: no byte either way; `decision`: one hook's question; `queue`: waiting for a slot. */
export type GitHttpLimits = { idleMs: number; totalMs: number; decisionMs: number; queueMs: number; queueLength: number }
const LIMITS: GitHttpLimits = { idleMs: 60_000, totalMs: 1_800_000, decisionMs: 60_000, queueMs: 30_000, queueLength: 256 }

export type GitPath = { domain: string; product: string; rest: string }
export type GitHttp = {
  /** Answers one request; never throws. `path` as parseGitPath gives it. */
  handle(req: IncomingMessage, res: ServerResponse, path: GitPath): Promise<void>
  /** Takes no more requests; pushes already accepted may end, within seconds; nothing of git runs when it resolves. */
  close(): Promise<void>
}

type Conversation = { req: IncomingMessage; res: ServerResponse; rest: string; folder: string; push: Push; isPush: boolean }
type Running = { backend: Backend; isAccepted(): boolean }
const CLOSE_GRACE_MS = 5_000

export function createGitHttp(deps: GitHttpDeps): GitHttp {
  const git = locateGit()
  const limits = { ...LIMITS, ...deps.limits }
  const slots = createSlots(deps.maxConcurrent, { length: limits.queueLength, waitMs: limits.queueMs })
  // From its check to its end a push has the repository to itself: what was checked is then what is there.
  const turns = createTurns()
  const running = new Set<Running>()
  const leftovers = createLeftovers()
  const hooksReady = installHooks(deps.hooksDir)
  // The failure is met, and told, at the first push.
  hooksReady.catch((error: unknown) => deps.log(`git hooks could not be written: ${String(error)}`))
  let closing = false

  const judge = async (push: Push, folder: string, question: HookQuestion, turn: Promise<void>): Promise<PushVerdict> => {
    const { refs, quarantine } = question
    await turn
    if (question.hook === 'post-receive') return { accept: true, lines: (await deps.onPostReceive({ ...push, refs })).lines }
    const refused = await findRefusedRefs(refs, (old, fresh) => isAncestor(git, folder, { old, fresh, quarantine }))
    if (refused.length > 0) return { accept: false, lines: refused }
    return deps.onPreReceive({
      ...push,
      refs,
      quarantine: { ...quarantine, objectDirectory: resolve(quarantine.objectDirectory) },
    })
  }

  const serve = async (req: IncomingMessage, res: ServerResponse, path: GitPath) => {
    if (closing) return answer(res, 503, 'heddle is stopping; try again when it is up.')
    const wanted = readWanted(req, path)
    if (!wanted || !isName(path.domain) || !isName(path.product)) return answer(res, 404, 'Not found.')
    const { authorization } = req.headers
    const { domain, product } = path
    const who = await deps.authorize({ authorization, domain, product, service: wanted.service })
    if (!who.ok) return answer(res, who.status, who.message)
    const folder = repositoryFolder(deps.repositoryRoot, who.productId)
    if (!(await isFolder(folder))) return answer(res, 404, `${domain}/${product} has no repository yet.`)
    const isPush = wanted.service === 'git-receive-pack' && !wanted.advertise
    // At the first of a push's two requests already: git shows the body of that one only.
    if (wanted.service === 'git-receive-pack' && !(await hooksReady.then(() => hooksStand(deps.hooksDir)).catch(() => false))) {
      deps.log('git hooks are missing or may not be executed; pushes are refused')
      return answer(res, 503, 'heddle cannot check pushes now (heddle doctor says why); nothing was changed.')
    }
    const gone = new AbortController()
    const leave = () => gone.abort()
    res.once('close', leave)
    const giveBack = await slots.take(gone.signal)
    res.off('close', leave)
    if (!giveBack) return answer(res, 503, 'Too many pushes and clones at this moment; try again in a minute.')
    try {
      if (closing) return answer(res, 503, 'heddle is stopping; try again when it is up.')
      const push = { product: who.productId, address: `${domain}/${product}`, subject: who.subject, refs: [] }
      if (isPush) await leftovers.enter(folder)
      const end = await converse({ req, res, rest: path.rest, folder, push, isPush })
      if (isPush) await leftovers.leave(folder, end.stopped === null && end.exit === 0)
      if (end.exit !== 0 && end.stopped !== CLIENT_GONE) {
        const why = end.stopped ?? `status ${end.exit}`
        deps.log(`${wanted.service} of ${push.address} ended: ${why}${end.stderr && ` (${end.stderr.replaceAll('\n', '; ')})`}`)
      }
    } finally {
      giveBack()
    }
  }

  /** One request's git, from its start to its end. */
  const converse = async (request: Conversation): Promise<BackendEnd> => {
    const { req, res, folder, push, isPush } = request
    let isDeciding = false
    let isAccepted = false
    const over = new AbortController()
    let leave = () => {}
    let turn: Promise<void> | null = null
    const decide = async (question: HookQuestion): Promise<PushVerdict> => {
      isDeciding = true
      if (!turn) ({ ready: turn, leave } = turns.enter(folder))
      const verdict = await inTime(judge(push, folder, question, turn), limits.decisionMs, over.signal).catch(
        (error: unknown) => {
          if (!over.signal.aborted) deps.log(`${question.hook} of ${push.address}: ${String(error)}`)
          return question.hook === 'pre-receive' ? UNDECIDED : STORED
        },
      )
      isDeciding = false
      isAccepted ||= verdict.accept
      return verdict
    }
    const backend = runBackend(
      {
        program: git.httpBackend,
        env: backendEnv(git, deps, request),
        limits,
        ...(isPush && { attach: (socket) => answerHooks(socket, decide) }),
        isAccepted: () => isAccepted,
        isDeciding: () => isDeciding,
      },
      req,
      res,
    )
    const entry: Running = { backend, isAccepted: () => isAccepted }
    running.add(entry)
    if (closing) backend.stop('heddle is stopping')
    const end = await backend.done
    running.delete(entry)
    over.abort()
    leave()
    return end
  }

  return {
    async handle(req, res, path) {
      try {
        await serve(req, res, path)
      } catch (error) {
        deps.log(`git request failed: ${String(error)}`)
        answer(res, 500, 'Something failed that should not; the log of heddle says what.')
      }
    },
    async close() {
      closing = true
      for (const { backend, isAccepted } of running) if (!isAccepted()) backend.stop('heddle is stopping')
      const late = setTimeout(() => {
        for (const { backend } of running) backend.stop('heddle is stopping')
      }, CLOSE_GRACE_MS)
      await Promise.all([...running].map(({ backend }) => backend.done))
      clearTimeout(late)
    },
  }
}

const UNDECIDED: PushVerdict = {
  accept: false,
  lines: ['heddle: refused: the push could not be checked. Nothing was changed; push again.'],
}
const STORED: PushVerdict = {
  accept: true,
  lines: ['heddle: the push is stored, but its run was not started yet; it is picked up shortly.'],
}

/** What is wanted of which service; only the three addresses of git's smart protocol exist. */
function readWanted(req: IncomingMessage, path: GitPath): { service: GitService; advertise: boolean } | null {
  if (req.method === 'POST') return isService(path.rest) ? { service: path.rest, advertise: false } : null
  if (req.method !== 'GET' || path.rest !== 'info/refs') return null
  const service = queryOf(req).startsWith('service=') ? queryOf(req).slice('service='.length) : ''
  return isService(service) ? { service, advertise: true } : null
}

function isService(text: string): text is GitService {
  return text === 'git-upload-pack' || text === 'git-receive-pack'
}

function queryOf(req: IncomingMessage): string {
  const url = req.url ?? ''
  const mark = url.indexOf('?')
  return mark < 0 ? '' : url.slice(mark + 1)
}

function backendEnv(git: Git, deps: GitHttpDeps, request: Conversation): Record<string, string> {
  const { headers, method = 'GET', socket } = request.req
  const optional: Record<string, string | string[] | undefined> = {
    CONTENT_TYPE: headers['content-type'],
    // Absent for a chunked body: git then reads to its end.
    CONTENT_LENGTH: headers['content-length'],
    HTTP_CONTENT_ENCODING: headers['content-encoding'],
    GIT_PROTOCOL: headers['git-protocol'],
    REMOTE_ADDR: socket.remoteAddress,
  }
  const given = Object.entries(optional).filter((pair): pair is [string, string] => typeof pair[1] === 'string')
  return {
    ...git.env,
    ...Object.fromEntries(given),
    GIT_PROJECT_ROOT: resolve(deps.repositoryRoot),
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${basename(request.folder)}/${request.rest}`,
    QUERY_STRING: queryOf(request.req),
    REQUEST_METHOD: method,
    REMOTE_USER: request.push.subject,
    // Whatever the repository's own file says, a push that comes through us meets our hooks.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'core.hooksPath',
    GIT_CONFIG_VALUE_0: resolve(deps.hooksDir),
    ...(request.isPush && HOOK_ENV),
  }
}

async function isAncestor(
  git: Git,
  folder: string,
  at: { old: string; fresh: string; quarantine: Quarantine },
): Promise<boolean> {
  const args = ['--git-dir', folder, 'merge-base', '--is-ancestor', at.old, at.fresh]
  return (await runGit(git, args, { env: quarantineEnv(folder, at.quarantine.objectDirectory) })).exit === 0
}

function answer(res: ServerResponse, status: number, message: string): void {
  if (res.headersSent || res.destroyed) return void res.destroy()
  res.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'cache-control': 'no-store',
    // The body of the request was not read, so the connection cannot serve another.
    connection: 'close',
    ...(status === 401 && { 'www-authenticate': 'Basic realm="Heddle", charset="UTF-8"' }),
    ...(status === 503 && { 'retry-after': '5' }),
  })
  res.end(`${message}\n`)
  res.req.resume()
}

function isFolder(path: string): Promise<boolean> {
  return stat(join(path, 'HEAD')).then(
    (found) => found.isFile(),
    () => false,
  )
}

/** The work's result, unless the time or the signal comes first. */
function inTime<T>(work: Promise<T>, ms: number, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new DOMException(`no answer within ${ms} ms`, 'TimeoutError'))
    const timer = setTimeout(stop, ms)
    signal.addEventListener('abort', stop, { once: true })
    const clear = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
    signal.addEventListener('abort', clear, { once: true })
    work.then(resolve, reject).finally(clear)
  })
}
