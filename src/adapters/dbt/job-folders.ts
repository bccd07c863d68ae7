import { chmod, chown, lchown, lstat, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fail } from '../../core/fail.ts'
import type { TransformationJob } from '../../platform/transformation.ts'

/** Absolute. `target` and `profiles` stay the same from run to run of a product's environment, or dbt parses everything again. */
export type JobFolders = {
  job: string
  home: string
  tmp: string
  log: string
  outputFile: string
  target: string
  profiles: string
}

/**
 * Makes the folders of one job. `lane` is 0, or a higher number while another job of the same product and environment runs. With a uid, target and
 * job folders belong to it, folders above them to us, so that a job cannot put something else in their place.
 */
export async function makeJobFolders(
  workDir: string,
  job: TransformationJob,
  lane: number,
  uid: number | null,
): Promise<JobFolders> {
  const place = join(workDir, 'targets', segment(job.product), segment(job.environment))
  const jobFolder = join(workDir, 'jobs', segment(job.key))
  const folders = {
    job: jobFolder,
    home: join(jobFolder, 'home'),
    tmp: join(jobFolder, 'tmp'),
    log: join(jobFolder, 'log'),
    outputFile: join(jobFolder, 'log', 'output.txt'),
    target: join(place, lane === 0 ? 'target' : `target-${lane}`),
    profiles: join(place, 'profiles'),
  }
  await rm(jobFolder, { recursive: true, force: true })
  for (const ours of [join(workDir, 'targets'), dirname(place), place, folders.profiles, join(workDir, 'jobs'), jobFolder]) {
    await mkdir(ours, { recursive: true })
    await chmod(ours, 0o711)
  }
  // dbt asks for a folder it may list
  await chmod(folders.profiles, 0o755)
  // dbt asks whether it may list this one.
  await chmod(folders.profiles, 0o755)
  // Made for another user (the platform was started otherwise before): its files could not be written over.
  const owner = (await lstat(folders.target).catch(() => null))?.uid
  if (owner !== undefined && owner !== (uid ?? process.getuid?.())) await rm(folders.target, { recursive: true })
  for (const theirs of [folders.home, folders.tmp, folders.log, folders.target]) {
    await mkdir(theirs, { recursive: true, mode: 0o700 })
    if (uid !== null) await lchown(theirs, uid, uid)
  }
  // The manifest of an earlier run must not be taken for this one's.
  await rm(join(folders.target, 'manifest.json'), { force: true, recursive: true })
  await rm(join(folders.target, 'run_results.json'), { force: true, recursive: true })
  await rm(join(folders.target, 'lineage.json'), { force: true, recursive: true })
  await writeProfile(folders.profiles, job.target)
  return folders
}

/** The project's own profiles.yml is never read. The password comes by a variable that dbt treats as secret, so a new one costs no parse. */
async function writeProfile(folder: string, target: TransformationJob['target']): Promise<void> {
  const output = {
    type: 'postgres',
    host: target.host,
    port: target.port,
    user: target.user,
    password: "{{ env_var('DBT_ENV_SECRET_PASSWORD') }}",
    dbname: target.database,
    schema: target.schema,
    threads: 1,
    connect_timeout: 10,
    keepalives_idle: 30,
  }
  const text = `${JSON.stringify({ heddle: { target: 'heddle', outputs: { heddle: output } } }, null, 1)}\n`
  const path = join(folder, 'profiles.yml')
  if ((await readFile(path, 'utf8').catch(() => null)) === text) return
  await writeFile(`${path}.new`, text, { mode: 0o644 })
  await chmod(`${path}.new`, 0o644)
  await rename(`${path}.new`, path)
}

/** Lets the product's own user read its checkout and no other product's: the folder's group is the product's, others may not enter. */
export async function openCheckout(projectDir: string, uid: number): Promise<void> {
  await requirePassage(projectDir)
  await chown(projectDir, process.getuid!(), uid)
  await chmod(projectDir, 0o750)
}

/** @throws TRANSFORM_PATH_UNREACHABLE when a folder above `path` lets no other user through */
export async function requirePassage(path: string): Promise<void> {
  for (let folder = dirname(await realpath(path)); ; folder = dirname(folder)) {
    const { mode } = await stat(folder)
    if ((mode & 0o001) === 0) {
      throw fail('TRANSFORM_PATH_UNREACHABLE', {
        what: `${folder} lets no other user pass`,
        why: 'As root every product runs as a user of its own, who must reach the project, the work folder and Python.',
        fix: `Run: chmod o+x ${folder}`,
      })
    }
    if (folder === dirname(folder)) return
  }
}

/** One name of a folder, whatever the id holds. */
function segment(id: string): string {
  const safe = encodeURIComponent(id)
  return safe === '.' || safe === '..' || safe === '' ? `_${safe}` : safe
}

/** Compiled SQL and the manifest of every environment; jobs remove their own folders themselves. */
export async function removeJobFolders(workDir: string, product: string): Promise<void> {
  await rm(join(workDir, 'targets', segment(product)), { recursive: true, force: true })
}
