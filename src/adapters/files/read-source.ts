import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { resolve, sep } from 'node:path'
import { Transform } from 'node:stream'
import { fail } from '../../core/fail.ts'
import type { IngestionJob, SourceReader } from '../../platform/ingestion.ts'

/** A folder that the mesh lets products of some domains read. */
export type NamedSource = { name: string; path: string; domains: string[] }

const HEADER_LIMIT = 64 * 1024

/**
 * Reads CSV files from named sources. The first part of a job's path names the source; links are followed first and must stay inside it. A file that
 * is missing, unreadable, empty or without the contract's header is an error: it is never taken for a source without rows.
 */
export function createFileReader(deps: { sources(): readonly NamedSource[]; domainOf(job: IngestionJob): string }): SourceReader {
  return {
    async open(job, { signal }) {
      const path = await locate(job, deps.sources(), deps.domainOf(job))
      const file = createReadStream(path, { signal })
      const hash = createHash('sha256')
      let bytes = 0
      let header = Buffer.alloc(0)
      let columns: string[] | null = null
      let ready: (columns: string[]) => void
      let refuse: (error: Error) => void
      const columnsRead = new Promise<string[]>((resolve, reject) => {
        ready = resolve
        refuse = reject
      })
      const body = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          bytes += chunk.length
          hash.update(chunk)
          if (columns) return done(null, chunk)
          header = Buffer.concat([header, chunk])
          const end = header.indexOf(10)
          if ((end < 0 ? header.length : end) > HEADER_LIMIT) return done(unreadable(job, 'its first line is longer than 64 kB'))
          if (end < 0) return done()
          columns = splitHeader(header.subarray(0, end).toString('utf8').replace(/\r$/, ''), job.source.delimiter)
          ready(columns)
          return done(null, header.subarray(end + 1))
        },
        flush(done) {
          if (columns) return done()
          const error = unreadable(job, bytes === 0 ? 'it is empty: not even a header' : 'it has no complete header line')
          refuse(error)
          return done(error)
        },
      })
      file.on('error', (error: NodeJS.ErrnoException) => body.destroy(unreadable(job, error.code ?? 'it cannot be read')))
      body.on('error', (error) => refuse(error))
      file.pipe(body)
      const found = await columnsRead
      checkHeader(job, found)
      return { columns: found, stream: body, bytes: () => bytes, sha256: () => hash.copy().digest('hex') }
    },
  }
}

async function locate(job: IngestionJob, sources: readonly NamedSource[], domain: string): Promise<string> {
  const [name, ...rest] = job.source.path.split('/')
  const source = sources.find((candidate) => candidate.name === name)
  if (!source) {
    const known = sources.filter((candidate) => candidate.domains.includes(domain)).map((candidate) => candidate.name)
    throw fail('INGEST_SOURCE_UNKNOWN', {
      what: `${job.component} reads from "${name}", which is no source of this mesh`,
      fix: known.length ? `Sources of ${domain}: ${known.join(', ')}.` : 'The platform team adds sources in mesh.yml.',
    })
  }
  if (!source.domains.includes(domain)) {
    throw fail('INGEST_SOURCE_FORBIDDEN', {
      what: `Source "${name}" is not open to domain ${domain}`,
      fix: `The platform team adds ${domain} to the source's domains in mesh.yml.`,
    })
  }
  const root = await realpath(source.path).catch(() => source.path)
  const path = await realpath(resolve(root, rest.join('/'))).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(job, error.code === 'ENOENT' ? 'there is no such file' : (error.code ?? 'it cannot be opened'))
  })
  if (!path.startsWith(root + sep))
    throw fail('INGEST_SOURCE_FORBIDDEN', { what: `${job.source.path} leads out of source "${name}"` })
  if (!(await stat(path)).isFile()) throw unreadable(job, 'it is not a file')
  return path
}

function unreadable(job: IngestionJob, because: string) {
  return fail('INGEST_SOURCE_UNREADABLE', {
    what: `${job.component} cannot read ${job.source.path}: ${because}`,
    why: 'A source that cannot be read is never taken for an empty one; nothing was loaded and what is served stays.',
  })
}

function splitHeader(line: string, delimiter: string): string[] {
  return line
    .replace(/^\uFEFF/, '')
    .split(delimiter)
    .map((name) => name.trim().replace(/^"(.*)"$/, '$1'))
}

function checkHeader(job: IngestionJob, found: readonly string[]): void {
  const expected = job.columns?.map((column) => column.name)
  if (!expected || (expected.length === found.length && expected.every((name, index) => name === found[index]))) return
  const missing = expected.filter((name) => !found.includes(name))
  const extra = found.filter((name) => !expected.includes(name))
  throw fail('INGEST_COLUMNS_CHANGED', {
    what: `${job.source.path} does not have the columns of its contract${missing.length ? `; missing: ${missing.join(', ')}` : ''}${extra.length ? `; not declared: ${extra.slice(0, 10).join(', ')}` : ''}${missing.length + extra.length === 0 ? '; the order differs' : ''}`,
    fix: 'Change the contract of the input port, or have the source repaired.',
  })
}
