import type { Push } from '../../platform/repository.ts'

type Ref = Push['refs'][number]

const MAIN = 'refs/heads/main'

/**
 * What no push may do, whoever pushes and whatever it holds: lines for the pusher, none when all is well. `main` only moves forward and never goes;
 * only branches and tags are kept (a pushed refs/replace/* would change what others read).
 * @param isAncestor whether the old commit is part of the new one's history
 */
export async function findRefusedRefs(
  refs: readonly Ref[],
  isAncestor: (old: string, fresh: string) => Promise<boolean>,
): Promise<string[]> {
  const lines: string[] = []
  for (const { ref, old, new: fresh } of refs) {
    if (!ref.startsWith('refs/heads/') && !ref.startsWith('refs/tags/')) {
      lines.push(`heddle: refused: ${ref} is neither a branch nor a tag.`)
    } else if (ref !== MAIN && ref.toLowerCase() === MAIN) {
      // One file with main where the file system ignores case.
      lines.push(`heddle: refused: a branch may not differ from main in upper and lower case only.`)
    } else if (ref === MAIN && fresh === null) {
      lines.push('heddle: refused: main cannot be deleted; it is what the product is deployed from.')
    } else if (ref === MAIN && old !== null && fresh !== null && !(await isAncestor(old, fresh))) {
      lines.push(
        'heddle: refused: main cannot be rewritten; releases point to its commits.',
        'heddle: bring the commits you have not got in first, then push again:',
        '    git pull --rebase origin main',
      )
    }
  }
  return lines
}
