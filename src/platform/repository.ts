import type { Readable } from 'node:stream'
/** One git repository per product, stored by product UUID, addressed by domain/product. */
export type Push = {
  product: string
  address: string
  subject: string
  /** refs in the push; a deletion has `new` = null */
  refs: { ref: string; old: string | null; new: string | null }[]
}

/** Lines shown in the pusher's terminal; `accept: false` refuses the whole push. */
export type PushVerdict = { accept: boolean; lines: string[] }

export type TreeFile = { path: string; mode: string; size: number; oid: string }

export type Repository = {
  /** Makes the bare repository (HEAD main, hooks, limits) and commits the scaffold when main is absent. Twice changes nothing. */
  ensure(request: {
    product: string
    files: Record<string, string>
    author: { name: string; email: string }
    message: string
  }): Promise<{ created: boolean; head: string }>
  /** Every branch and tag as it stands now. */
  refs(product: string): Promise<{ ref: string; commit: string }[]>
  /** The whole repository as one git bundle, handed to `sink`. @throws REPOSITORY_GIT_FAILED also after the sink has read, when git failed late */
  bundle(product: string, sink: (stream: Readable) => Promise<void>): Promise<void>
  /** Makes the repository from a bundle, with exactly these refs. Twice changes nothing. @throws REPOSITORY_DAMAGED when the bundle is not whole */
  unbundle(request: {
    product: string
    refs: { ref: string; commit: string }[]
    open: () => Promise<Readable>
  }): Promise<{ created: boolean }>
  /** Unpacks a bundle beside the repositories, as a restore would, and throws it away. @throws REPOSITORY_DAMAGED */
  checkBundle(request: { product: string; refs: { ref: string; commit: string }[]; open: () => Promise<Readable> }): Promise<void>
  exists(product: string): Promise<boolean>
  remove(product: string): Promise<void>
  head(product: string, branch: string): Promise<string | null>
  list(product: string, commit: string, quarantine?: string): Promise<TreeFile[]>
  /** @returns bytes, or null when the commit has no such file. Also sees objects of a push still in quarantine when `quarantine` is given. */
  read(product: string, commit: string, path: string, quarantine?: string): Promise<Buffer | null>
  /** Object id of a folder or file at a commit (equal ids mean equal contents), or null. */
  oid(product: string, commit: string, path: string, quarantine?: string): Promise<string | null>
  /** Writes the commit's tree into an empty folder: ordinary files only; symbolic links, submodules and paths leaving the folder are refused. */
  checkout(product: string, commit: string, into: string): Promise<void>
}
