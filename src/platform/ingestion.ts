import type { EffectContext } from './resource.ts'

/** One source object read into one sealed batch. */
export type IngestionJob = {
  component: string
  /** where to read: a file inside a source that the mesh allows this domain to read */
  source: { type: 'file'; path: string; format: 'csv'; delimiter: string; null: string | null; header: true }
  /** columns in the order of the contract, or null: every column of the header, as text */
  columns: { name: string; type: string }[] | null
}

/** `bytes` of the source read, `rows` accepted, `sha256` of the bytes. An unreadable or headerless source throws, it is never an empty batch. */
export type Batch = { table: string; relation: string; rows: number; bytes: number; sha256: string; sealedAt: string }

/** Streams a source as rows of CSV with header stripped. The warehouse loads it. */
export type SourceReader = {
  open(
    job: IngestionJob,
    context: Pick<EffectContext, 'signal' | 'log'>,
  ): Promise<{ columns: string[]; stream: NodeJS.ReadableStream; bytes(): number; sha256(): string }>
}
