import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { Validation, ValidationRequest } from './validate.ts'

export type ValidationWorker = {
  /** The same as validateProduct, in a thread that is killed after the deadline of processor time; equal requests are answered from a cache. Never rejects. */
  validateInWorker(request: ValidationRequest): Promise<Validation>
  /** Brings the thread up, so that the first request need not wait for it. */
  warm(): Promise<void>
  close(): Promise<void>
}

const DEADLINE_MS = 1_000
/** On a busy machine the thread may not have had its second yet: then it is waited for, up to this many times the deadline. */
const PATIENCE = 15
/** Loading the thread's modules on a busy machine; not part of a request's deadline. */
const START_MS = 20_000
const CACHE_SIZE = 200
const REQUEST_BYTES = 4 * 1024 * 1024
const RESOURCES = { maxOldGenerationSizeMb: 192, maxYoungGenerationSizeMb: 32, stackSizeMb: 4 }

type Thread = { worker: Worker; ready: Promise<boolean>; settle: ((outcome: Validation | string) => void) | null }

/** The process's own; its thread starts with the first request and never keeps the process alive. */
export const validationWorker: ValidationWorker = createValidationWorker()
export const validateInWorker = validationWorker.validateInWorker

/** One thread, one request at a time; the event loop of the caller only copies texts. */
export function createValidationWorker(options: { deadlineMs?: number } = {}): ValidationWorker {
  const deadlineMs = options.deadlineMs ?? DEADLINE_MS
  const cache = new Map<string, Promise<Validation>>()
  let thread: Thread | null = null
  let queue: Promise<unknown> = Promise.resolve()
  let closed = false

  function start(): Thread {
    const worker = new Worker(new URL('./validation-worker.ts', import.meta.url), { env: {}, resourceLimits: RESOURCES })
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const started: Thread = { worker, ready: promise, settle: null }
    const timer = setTimeout(() => end('the checking thread did not start'), START_MS)
    const end = (why: string) => {
      clearTimeout(timer)
      resolve(false)
      if (thread === started) thread = null
      started.settle?.(why)
      void worker.terminate()
    }
    worker.on('message', (message: { ready?: true; validation?: Validation }) => {
      if (message.validation) started.settle?.(message.validation)
      if (!message.ready) return
      clearTimeout(timer)
      resolve(true)
    })
    worker.on('error', () => end('checking it needs too much memory'))
    worker.on('exit', () => end('the checking thread ended'))
    return started
  }

  async function runOnce(request: ValidationRequest): Promise<Validation> {
    if (closed) return refusal(request, 'the platform is stopping')
    thread ??= start()
    const current = thread
    current.worker.ref()
    if (!(await current.ready)) return refusal(request, 'the checking thread did not start')
    const outcome = await new Promise<Validation | string>((resolve) => {
      const spent = stopwatch()
      let timer = setTimeout(function look() {
        const { cpuMs, wallMs } = spent()
        if (cpuMs < deadlineMs && wallMs < deadlineMs * PATIENCE) timer = setTimeout(look, deadlineMs / 4)
        else current.settle?.(`checking it took longer than ${deadlineMs} ms`)
      }, deadlineMs)
      current.settle = (result) => {
        clearTimeout(timer)
        current.settle = null
        resolve(result)
      }
      current.worker.postMessage({ id: 0, request })
    })
    if (typeof outcome === 'object') {
      current.worker.unref()
      return outcome
    }
    if (thread === current) thread = null
    await current.worker.terminate()
    return refusal(request, outcome)
  }

  return {
    validateInWorker(request) {
      const key = keyOf(request)
      if (key === null) return Promise.resolve(refusal(request, 'the files are larger than 4 MB together'))
      const known = cache.get(key)
      if (known !== undefined) {
        cache.delete(key)
        cache.set(key, known)
        return known
      }
      const result = queue.then(() => runOnce(request))
      queue = result
      cache.set(key, result)
      if (cache.size > CACHE_SIZE) cache.delete(cache.keys().next().value!)
      // A refusal may be the machine's fault: the next try is a new one.
      void result.then((validation) => {
        if (validation.diagnostics.some((diagnostic) => diagnostic.code === 'SPEC_CHECK_TIMEOUT')) cache.delete(key)
      })
      return result
    },
    async warm() {
      if (closed) return
      thread ??= start()
      await thread.ready
      thread?.worker.unref()
    },
    async close() {
      closed = true
      const current = thread
      thread = null
      await current?.worker.terminate()
    },
  }
}

/** Processor time of the whole process: never less than the thread's own. */
function stopwatch(): () => { cpuMs: number; wallMs: number } {
  const [began, cpu] = [performance.now(), process.cpuUsage()]
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { cpuMs: (user + system) / 1000, wallMs: performance.now() - began }
  }
}

function keyOf({ files, context, environment }: ValidationRequest): string | null {
  const hash = createHash('sha256')
  let bytes = 0
  const add = (part: string | Uint8Array) => {
    bytes += part.length
    if (bytes > REQUEST_BYTES) return
    hash.update(`${typeof part === 'string' ? 'text' : 'bytes'} ${part.length}\n`)
    hash.update(part)
  }
  for (const file of [files.spec, files.deploy]) {
    add(file?.name ?? '-')
    add(file?.text ?? '-')
  }
  for (const [path, text] of Object.entries(files.contracts).sort(([a], [b]) => (a < b ? -1 : 1))) {
    add(path)
    add(text)
  }
  add(JSON.stringify([context, environment]))
  return bytes > REQUEST_BYTES ? null : hash.digest('hex')
}

function refusal(request: ValidationRequest, why: string): Validation {
  const file = request.files.spec?.name ?? 'data_product_spec.yml'
  return {
    spec: null,
    deploy: null,
    diagnostics: [
      {
        severity: 'error',
        code: 'SPEC_CHECK_TIMEOUT',
        what: 'The spec could not be checked',
        why,
        fix: 'Make it smaller or flatter; if it is neither, try again.',
        at: { file, line: 1, column: 1 },
      },
    ],
  }
}
