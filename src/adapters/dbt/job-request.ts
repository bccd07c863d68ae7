import type { Diagnostic } from '../../core/diagnostic.ts'
import type { TransformationJob } from '../../platform/transformation.ts'
import type { JobFolders } from './job-folders.ts'

/** What a forked child needs, sent to it alone: the fork server never sees the password. */
export type JobRequest = {
  args: string[]
  env: Record<string, string>
  password: string
  projectDir: string
  outputFile: string
  home: string
  limits: { memoryBytes: number; fileBytes: number; files: number; tasks: number }
  /** where the child may read and write when Landlock holds it, and which TCP numbers it may connect to */
  read: string[]
  write: string[]
  connect: number[]
  /** where the lineage of a green build is left, and which database knows the columns; null when nobody asks for it */
  lineage: { folder: string; database: { host: string; port: number; dbname: string; user: string } } | null
}

const GB = 2 ** 30
/** Generous: they stop a run-away, not a large project. `memoryBytes` is address space, `tasks` threads and processes. */
const LIMITS = { memoryBytes: 4 * GB, fileBytes: GB / 2, files: 512, tasks: 256 }

/** `job.select` was seen by refuseSelection. */
export function makeJobRequest(job: TransformationJob, folders: JobFolders): JobRequest {
  return {
    args: [job.command, ...selection(job), ...options(job, folders)],
    env: {
      PATH: '/usr/bin:/bin',
      HOME: folders.home,
      TMPDIR: folders.tmp,
      LANG: 'C.UTF-8',
      TZ: 'UTC',
      DBT_SEND_ANONYMOUS_USAGE_STATS: 'false',
      DO_NOT_TRACK: '1',
      // A killed child's statement ends by itself instead of running to its end.
      PGOPTIONS: '-c client_connection_check_interval=2000',
    },
    password: job.target.password,
    projectDir: job.projectDir,
    outputFile: folders.outputFile,
    home: folders.home,
    limits: LIMITS,
    read: [job.projectDir, folders.profiles],
    write: [folders.target, folders.home, folders.tmp, folders.log],
    connect: [job.target.port],
    lineage: job.command === 'build' ? { folder: folders.target, database: databaseOf(job) } : null,
  }
}

function databaseOf({ target: { host, port, database, user } }: TransformationJob) {
  return { host, port, dbname: database, user }
}

/** An option among the words would be taken for one of ours. */
export function refuseSelection(select: string): Diagnostic | null {
  const option = words(select).find((word) => word.startsWith('-'))
  if (option === undefined) return null
  return {
    severity: 'error',
    code: 'TRANSFORM_SELECT_INVALID',
    what: `The selection holds an option: ${option}`,
    fix: `Remove ${option}.`,
  }
}

const words = (select: string): string[] => select.split(/\s+/).filter((word) => word !== '')

function selection(job: TransformationJob): string[] {
  return job.command === 'build' && words(job.select).length > 0 ? ['--select', ...words(job.select)] : []
}

function options(job: TransformationJob, folders: JobFolders): string[] {
  return [
    '--project-dir',
    job.projectDir,
    '--profiles-dir',
    folders.profiles,
    '--profile',
    'heddle',
    '--target',
    'heddle',
    '--target-path',
    folders.target,
    '--log-path',
    folders.log,
    '--threads',
    String(job.threads),
    '--vars',
    JSON.stringify(job.vars),
  ]
}
