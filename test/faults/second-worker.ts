import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createDbtTransformation } from '../../src/adapters/dbt/transformation.ts'
import { createDirectoryArchive } from '../../src/adapters/directory/archive.ts'
import { createFileReader } from '../../src/adapters/files/read-source.ts'
import { createGitRepository } from '../../src/adapters/git/repository.ts'
import { createPostgresWarehouse } from '../../src/adapters/postgres/warehouse.ts'
import { allCommands } from '../../src/commands/all.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { LifecycleDeps } from '../../src/lifecycle/deps.ts'
import { settled } from '../../src/lifecycle/settled.ts'
import { createEngine } from '../../src/run/engine.ts'
import { parseMesh } from '../../src/spec/mesh.ts'
import { createValidationWorker } from '../../src/spec/validate-in-worker.ts'
import { openControl } from '../../src/store/control.ts'
import { openNotices } from '../../src/store/notices.ts'

/**
 * A second worker on the control database of a running platform, as a second machine would be: engine, commands and adapters, no listener of its own.
 * Usage: second-worker.ts DATA_DIRECTORY. Ends with its standard input.
 */
const data = process.argv[2]!
const root = join(import.meta.dirname, '../..')
const log = (line: string) => console.log(line)
const key = await readFile(join(data, 'secrets.key'))
const secret = (name: string) => createHmac('sha256', key).update(name).digest('base64url')
const kept = JSON.parse(await readFile(join(data, 'postgres.json'), 'utf8')) as {
  listen: number
  user?: string
  password: string
}
const server = { host: '127.0.0.1', port: kept.listen }

const mesh = parseMesh(await readFile(join(data, 'mesh.yml'), 'utf8'), 'mesh.yml')
const expand = (path: string) => path.replace('{data}', data)
const connection = { ...server, database: 'heddle', user: 'heddle_control', password: secret('control') }
const control = openControl(connection, { log })
const warehouse = createPostgresWarehouse({
  ...server,
  environment: 'prod',
  database: 'prod',
  superuser: { user: 'postgres', password: kept.password },
  provisioner: { password: secret('provisioner') },
  clock: systemClock,
  log,
})
const repository = createGitRepository({ root: join(data, 'repos'), hooksDir: join(data, 'hooks'), log })
const transformation = createDbtTransformation({
  python: join(root, '.runtime/python/bin/python'),
  workDir: join(data, 'work/second-dbt'),
  uidBase: process.getuid?.() === 0 ? 220_000 : null,
  log,
})
const archive = createDirectoryArchive({ root: join(data, 'archive') })
const lifecycle: LifecycleDeps = {
  control,
  clock: systemClock,
  repository,
  archive,
  warehouse: () => warehouse,
  validate: createValidationWorker().validateInWorker,
  mesh: () => mesh,
  url: () => 'http://127.0.0.1',
  log,
}
const engine = createEngine({
  control,
  notices: await openNotices(connection, log),
  commands: allCommands({
    control,
    clock: systemClock,
    warehouse: lifecycle.warehouse,
    environments: () => Object.keys(mesh.environments),
    repository,
    archive,
    transformation,
    reader: (domain) =>
      createFileReader({
        sources: () => Object.entries(mesh.sources).map(([name, source]) => ({ name, ...source, path: expand(source.path) })),
        domainOf: () => domain,
      }),
    templateFiles: async () => ({}),
    workDir: join(data, 'work/second-products'),
  }),
  failpoint: () => {},
  settled: (queries, run, state) => settled(lifecycle, queries, run, state),
  log,
  worker: `second:${process.pid}`,
  dataDirectory: 'second',
  concurrency: 4,
})
engine.start()
log('ready')
process.stdin.on('end', () => process.exit(0)).resume()
