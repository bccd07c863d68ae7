import { chmod, lstat, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Diagnostic } from '../../core/diagnostic.ts'
import { asHeddleError, fail, type HeddleError } from '../../core/fail.ts'
import type {
  IsolationRung,
  Transformation,
  TransformationEvent,
  TransformationJob,
  TransformationResult,
} from '../../platform/transformation.ts'
import { checkManifest } from './check-manifest.ts'
import { diagnose } from './diagnose.ts'
import { createForkServer, type ForkServer, type Ready } from './fork-server.ts'
import { makeJobFolders, openCheckout, removeJobFolders, requirePassage } from './job-folders.ts'
import { type JobListener, listenForJobs } from './job-listener.ts'
import { makeJobRequest, refuseSelection } from './job-request.ts'
import { createProductUids } from './product-uids.ts'
import { readForeignFile } from './read-foreign-file.ts'
import { readLineage } from './read-lineage.ts'
import { readManifest } from './read-manifest.ts'
import { redact } from './redact.ts'
import { createSlots } from './slots.ts'
import { type JobEnd, watchJob } from './watch-job.ts'

export type DbtDeps = {
  /** interpreter of the environment that has dbt */
  python: string
  serverScript?: string
  /** absolute; ours alone. Holds targets (kept, so that dbt need not parse again), job folders, uids.json */
  workDir: string
  /** as root: the uid of a product is this plus its number; null runs jobs as ourselves */
  uidBase: number | null
  /** number of a product; without it numbers are kept in workDir/uids.json */
  uidFor?(product: string): number
  /** jobs at once, default 3 */
  maxJobs?: number
  /** how long a job may show no sign of life, default 120 s */
  silenceMs?: number
  log(line: string): void
}

type Judged = Pick<TransformationResult, 'outcome' | 'diagnostics'>

const SCRIPT = fileURLToPath(new URL('../../../python/fork_server.py', import.meta.url))
const START_MS = 30_000
const GRACE_MS = 3_000

/** dbt behind a warm fork server: one forked child per job, isolated as far as this machine can. */
export function createDbtTransformation(deps: DbtDeps): Transformation {
  const { workDir, uidBase, maxJobs = 3, silenceMs = 120_000, log } = deps
  if (uidBase !== null && process.getuid?.() !== 0)
    throw fail('TRANSFORM_RUNTIME_BROKEN', 'Only root can run products as users of their own')
  const slots = createSlots(maxJobs)
  const assignUid = uidBase === null || deps.uidFor ? null : createProductUids(workDir, uidBase)
  const lanes = new Map<string, Set<number>>()
  const running = new Set<string>()
  let opened: Promise<{ server: ForkServer; listener: JobListener }> | null = null

  async function open() {
    await mkdir(workDir, { recursive: true })
    await chmod(workDir, 0o711)
    // What a killed control plane left; its jobs died with it.
    await rm(join(workDir, 'jobs'), { recursive: true, force: true })
    const scratch = join(workDir, 'server')
    await mkdir(scratch, { recursive: true, mode: 0o700 })
    if (uidBase !== null) {
      await requirePassage(join(workDir, 'targets', '..'))
      await requirePassage(deps.python)
    }
    const listener = await listenForJobs(workDir)
    const server = createForkServer({
      python: deps.python,
      script: deps.serverScript ?? SCRIPT,
      socket: listener.path,
      scratch,
      log,
    })
    return { server, listener }
  }

  const parts = () => {
    opened ??= open().catch((error) => {
      opened = null
      throw error
    })
    return opened
  }

  const rung = (ready: Ready): IsolationRung => (uidBase !== null ? 'own-uid' : ready.landlock > 0 ? 'landlock' : 'process')

  async function uidOf(product: string): Promise<number | null> {
    if (uidBase === null) return null
    return deps.uidFor ? uidBase + deps.uidFor(product) : assignUid!(product)
  }

  /** The target folder of its own for each of several jobs of one product and environment at once: two dbts in one would write over each other. */
  function takeLane(job: TransformationJob): { lane: number; give(): void } {
    const place = `${job.product}/${job.environment}`
    const taken = lanes.get(place) ?? new Set()
    lanes.set(place, taken)
    let lane = 0
    while (taken.has(lane)) lane++
    taken.add(lane)
    return { lane, give: () => void taken.delete(lane) }
  }

  async function runInSlot(
    job: TransformationJob,
    onEvent: (event: TransformationEvent) => void,
    signal: AbortSignal,
  ): Promise<TransformationResult> {
    const { server, listener } = await parts()
    await server.ready()
    const uid = await uidOf(job.product)
    if (uid !== null) await openCheckout(job.projectDir, uid)
    const { lane, give } = takeLane(job)
    try {
      const folders = await makeJobFolders(workDir, job, lane, uid)
      try {
        const request = makeJobRequest(job, folders)
        const limits = { timeoutMs: job.timeoutMs, silenceMs, startMs: START_MS, graceMs: GRACE_MS }
        const end = await watchJob({ key: job.key, uid, request, server, listener, limits, signal, onEvent })
        const result = diagnose(end, job)
        if (result.outcome === 'lost') await sayLoss(job.key, result, folders.outputFile)
        const manifestPath = await findManifest(folders.target, end)
        // A project against the rules may fail for that very reason, and dbt's words then hide it.
        const judged = result.outcome === 'succeeded' || (result.outcome === 'failed' && manifestPath !== null)
        const verdict = judged ? await judge(result, manifestPath, job) : result
        const lineage = verdict.outcome === 'succeeded' ? await readLineage(join(folders.target, 'lineage.json')) : null
        return { ...verdict, manifestPath, lineage }
      } finally {
        await rm(folders.job, { recursive: true, force: true })
      }
    } finally {
      give()
    }
  }

  async function sayLoss(key: string, result: Pick<TransformationResult, 'diagnostics'>, outputFile: string): Promise<void> {
    // What a crashed interpreter printed last.
    const output = await readForeignFile(outputFile, { maxBytes: 2 ** 40, tail: 4096 })
    const line = output?.trim().split('\n').pop()
    log(`dbt job ${key}: ${result.diagnostics.at(-1)!.what}${line ? `; last output: ${redact(line).slice(0, 300)}` : ''}`)
  }

  return {
    name: 'dbt-core',
    async warm() {
      const began = performance.now()
      const { server } = await parts()
      const ready = await server.ready()
      return { ms: Math.round(performance.now() - began), isolation: rung(ready), pids: [ready.pid] }
    },
    async run(job, onEvent, signal) {
      if (running.has(job.key)) throw fail('INTERNAL_UNEXPECTED', `A dbt job of the key ${job.key} runs already`)
      const refused = refuseSelection(job.select)
      if (refused) return { outcome: 'failed', diagnostics: [refused], manifestPath: null, lineage: null }
      running.add(job.key)
      try {
        const slot = await slots.take(signal)
        if (!slot) return { ...diagnoseUnstarted(job), manifestPath: null, lineage: null }
        try {
          return await runInSlot(job, onEvent, signal)
        } finally {
          slot.give()
        }
      } finally {
        running.delete(job.key)
      }
    },
    forget: (product) => removeJobFolders(workDir, product),
    async stop() {
      if (!opened) return
      const { server, listener } = await opened
      await server.stop()
      await listener.close()
      opened = null
    },
  }
}

function diagnoseUnstarted(job: TransformationJob) {
  const fork = { code: null, signal: null, serverGone: false }
  return diagnose({ done: null, ending: 'cancelled', fork, failed: [] }, job)
}

/** A project that dbt is content with, against the rules of the platform. */
async function judge(result: Judged, manifestPath: string | null, job: TransformationJob): Promise<Judged> {
  const found = await readManifest(manifestPath ?? '').then(
    (manifest) => checkManifest(manifest, { buildSchema: job.target.schema, database: job.target.database, ports: job.ports }),
    (error: unknown) => [toDiagnostic(asHeddleError(error))],
  )
  const diagnostics = [...found, ...result.diagnostics]
  const isBroken = result.outcome === 'failed' || diagnostics.some(({ severity }) => severity === 'error')
  return { outcome: isBroken ? 'failed' : 'succeeded', diagnostics }
}

const toDiagnostic = ({ code, message, fix }: HeddleError): Diagnostic => ({ severity: 'error', code, what: message, fix })

async function findManifest(target: string, end: JobEnd): Promise<string | null> {
  if (!end.done?.parsed) return null
  const path = join(target, 'manifest.json')
  const found = await lstat(path).catch(() => null)
  return found?.isFile() ? path : null
}
