import { fail } from '../../core/fail.ts'
import { type Git, mustRunGit } from './git.ts'
import { findUnsafeFiles } from './tree.ts'

export type FirstCommit = {
  branch: string
  files: Record<string, string>
  author: { name: string; email: string }
  message: string
}

/**
 * The first commit of an empty repository, without a work tree and in one process: the branch appears at the very end, complete, and only if it still
 * is absent. A cut stream (`--done`) or a branch that appeared meanwhile leaves everything as it was.
 * @returns the branch's commit
 */
export async function firstCommit(git: Git, folder: string, first: FirstCommit): Promise<string> {
  const files = Object.entries(first.files).map(([path, text]) => ({ path, bytes: Buffer.from(text) }))
  const unsafe = findUnsafeFiles(files.map(({ path, bytes }) => ({ path, mode: '100644', size: bytes.length, oid: '' })))
  if (unsafe[0]) throw fail(unsafe[0].code, { ...unsafe[0], details: unsafe })
  const ref = `refs/heads/${first.branch}`
  const input: (string | Buffer)[] = [
    `commit ${ref}\ncommitter ${identity(first.author)} now\n`,
    ...data(Buffer.from(first.message)),
  ]
  for (const { path, bytes } of files) input.push(`M 100644 inline "${path.replaceAll('"', '\\"')}"\n`, ...data(bytes))
  input.push('\ndone\n')
  await mustRunGit(git, ['--git-dir', folder, 'fast-import', '--quiet', '--done', '--date-format=now'], { input })
  const head = await mustRunGit(git, ['--git-dir', folder, 'rev-parse', '--verify', ref])
  return head.toString('utf8').trim()
}

function data(bytes: Buffer): (string | Buffer)[] {
  return [`data ${bytes.length}\n`, bytes, '\n']
}

function identity({ name, email }: { name: string; email: string }): string {
  const clean = (text: string) => text.replaceAll(/[\p{Cc}<>]/gu, '').trim()
  return `${clean(name) || 'heddle'} <${clean(email)}>`
}
