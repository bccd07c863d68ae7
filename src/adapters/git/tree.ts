import type { Diagnostic } from '../../core/diagnostic.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { TreeFile } from '../../platform/repository.ts'

export type TreeLimits = { files: number; fileBytes: number; bytes: number }
/** A product's repository holds code; its data comes through ingestion. */
export const TREE_LIMITS: TreeLimits = { files: 20_000, fileBytes: 32 * 1024 * 1024, bytes: 256 * 1024 * 1024 }

const PATH_BYTES = 1_024
const NAME_BYTES = 255
const ORDINARY = new Set(['100644', '100755', '100664'])
/** Control and invisible characters, bytes that are no UTF-8, and Windows' separator. */
const HIDDEN = /[\p{Cc}\p{Cf}\ufffd\\]/u
const GIT_FOLDER = /^(\.git|git~[0-9]+)([ .:].*)?$/i

/**
 * Everything in a commit's tree that checkout would refuse: symbolic links, submodules, paths that could leave the folder, names that are one name on
 * some file systems, too many or too large files. Pure, so that a push can be judged by it before it is taken.
 */
export function findUnsafeFiles(files: readonly TreeFile[], limits: TreeLimits = TREE_LIMITS): Diagnostic[] {
  const found: Diagnostic[] = []
  const report = (code: ErrorCode, file: TreeFile, what: string, fix: string) => {
    found.push({ severity: 'error', code, what, fix, at: { file: shown(file.path), line: 1, column: 1 } })
  }
  const seen = new Map<string, string>()
  let bytes = 0
  for (const file of files) {
    bytes += file.size
    if (file.mode === '120000') {
      report('REPOSITORY_LINK_REFUSED', file, `${shown(file.path)} is a symbolic link`, 'Commit the file itself.')
    } else if (file.mode === '160000') {
      report('REPOSITORY_LINK_REFUSED', file, `${shown(file.path)} is a submodule`, 'Commit the files, or use a dbt package.')
    } else if (!ORDINARY.has(file.mode)) {
      report('REPOSITORY_LINK_REFUSED', file, `${shown(file.path)} is no ordinary file`, 'Commit an ordinary file.')
    }
    const problem = pathProblem(file.path)
    if (problem) report('REPOSITORY_PATH_UNSAFE', file, `${shown(file.path)} ${problem}`, 'Rename the file.')
    const other = collision(seen, file.path)
    if (other !== null) {
      const what = `${shown(file.path)} and ${shown(other)} are one name where upper and lower case are the same`
      report('REPOSITORY_PATH_UNSAFE', file, what, 'Rename one of the two.')
    }
    if (file.size > limits.fileBytes) {
      const what = `${shown(file.path)} has ${file.size} bytes; ${limits.fileBytes} are allowed`
      report('REPOSITORY_TREE_TOO_LARGE', file, what, 'Bring data in by ingestion instead of committing it.')
    }
  }
  const total = (what: string) => {
    found.push({
      severity: 'error',
      code: 'REPOSITORY_TREE_TOO_LARGE',
      what,
      fix: 'Bring data in by ingestion instead of committing it.',
    })
  }
  if (files.length > limits.files) total(`The commit has ${files.length} files; ${limits.files} are allowed`)
  if (bytes > limits.bytes) total(`The commit has ${bytes} bytes of files; ${limits.bytes} are allowed`)
  return found
}

function pathProblem(path: string): string | null {
  if (Buffer.byteLength(path) > PATH_BYTES) return `is longer than ${PATH_BYTES} bytes`
  if (HIDDEN.test(path)) return 'has a backslash or a character that cannot be shown in its name'
  for (const name of path.split('/')) {
    if (name === '' || name === '.' || name === '..') return 'does not stay inside its folder'
    if (GIT_FOLDER.test(name)) return "passes for git's own folder"
    if (Buffer.byteLength(name) > NAME_BYTES) return `has a part longer than ${NAME_BYTES} bytes`
  }
  return null
}

/** @returns the earlier path that this one collides with; remembers the path and each folder above it */
function collision(seen: Map<string, string>, path: string): string | null {
  const names = path.split('/')
  for (let depth = 1; depth <= names.length; depth++) {
    // A folder ends in a slash, so a file and a folder of one name collide and two files of one folder do not.
    const whole = depth === names.length
    const prefix = names.slice(0, depth).join('/') + (whole ? '' : '/')
    const folded = foldName(whole ? prefix : prefix.slice(0, -1))
    const before = seen.get(folded)
    if (before === undefined) seen.set(folded, prefix)
    else if (before !== prefix || whole) return before
  }
  return null
}

/** Equal for names that a file system ignoring case or Unicode form takes for one. */
function foldName(name: string): string {
  return name.normalize('NFKC').toUpperCase().toLowerCase()
}

function shown(path: string): string {
  const clean = path.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?')
  return clean.length > 200 ? `${clean.slice(0, 197)}...` : clean
}
