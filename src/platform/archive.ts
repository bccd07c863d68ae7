import type { Readable } from 'node:stream'
import type { ProductSpec } from '../spec/types.ts'
import type { ExportedColumn, ExportedTable } from './warehouse.ts'

/** One stored file: `bytes` and `sha256` are of what is stored, `rows` counts the rows of a table (null for anything else). */
export type ArchiveFile = { path: string; bytes: number; sha256: string; rows: number | null }
export type ArchiveManifest<About> = { format: 2; name: string; files: ArchiveFile[]; about: About }

/**
 * Keeps what is retired. An archive has a name (`fleet/planes/run-812`) and is complete or not there: readers never meet a half-written one.
 * @example archive.begin('fleet/planes/run-812').then((draft) => draft.put('records/runs.json', text))
 */
export type Archive = {
  /** Starts afresh: what an unfinished attempt left under this name goes. @throws ARCHIVE_EXISTS when a complete one has the name */
  begin(name: string): Promise<ArchiveDraft>
  /** null only when there surely is none; an unreadable archive is ARCHIVE_DAMAGED, never absent. Reads the manifest, not the files. */
  find(name: string): Promise<ArchiveManifest<ArchivedProduct> | null>
  /** Reads every file back and compares size, checksum and number of rows. @throws ARCHIVE_DAMAGED, ARCHIVE_MISSING */
  verify(name: string, signal: AbortSignal): Promise<ArchiveManifest<ArchivedProduct>>
  /** A file's bytes; the stream fails at its end when they are not those of the manifest. */
  open(name: string, path: string): Promise<Readable>
  /** A table's rows as PostgreSQL's CSV (no header; NULL is an empty field without quotes), after its checksum held. */
  openTable(name: string, path: string): Promise<Readable>
  /** Beside the archive: what was said about it afterwards, like a certificate. Not part of the manifest. */
  note(name: string, file: string, text: string): Promise<void>
  /** Where people find it. */
  locate(name: string): string
  /** Names of the complete archives below a folder of names. */
  list(below: string): Promise<string[]>
  /** Gone is success. */
  remove(name: string): Promise<void>
}

export type ArchiveDraft = {
  put(path: string, content: Readable | string): Promise<ArchiveFile>
  /** PostgreSQL's CSV, stored as Parquet. */
  putTable(path: string, table: { columns: readonly ExportedColumn[]; csv: Readable }): Promise<ArchiveFile>
  /** Writes the manifest, reads everything back, and only then gives the archive its name. `rows`: path → rows that must be found. */
  close(
    about: ArchivedProduct,
    rows: Readonly<Record<string, number>>,
    signal: AbortSignal,
  ): Promise<ArchiveManifest<ArchivedProduct>>
}

export type ArchivedTable = ExportedTable & { file: string }
export type ArchivedRelease = {
  number: number
  label: string
  commit: string
  content: string
  revision: number
  spec: ProductSpec
}
export type ArchivedEnvironment = {
  name: string
  release: ArchivedRelease | null
  /** the revisions that were served, each with all its tables */
  revisions: { n: number; tables: ArchivedTable[] }[]
  ports: { port: string; major: number; revision: number }[]
}

/** What an archive is about; everything a restore needs. */
export type ArchivedProduct = {
  product: { id: string; domain: string; name: string; title: string; owner: string }
  archivedAt: string
  by: string
  because: string
  run: number
  environments: ArchivedEnvironment[]
  /** null when it never had a commit */
  repository: { file: string; head: string; refs: { ref: string; commit: string }[] } | null
}
