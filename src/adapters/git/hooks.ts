import { constants } from 'node:fs'
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The file descriptor that the control plane leaves open in the hooks of a push it started; HEDDLE_PUSH names it. */
export const HOOK_DESCRIPTOR = 3

export const HOOK_NAMES = ['pre-receive', 'post-receive'] as const
export type HookName = (typeof HOOK_NAMES)[number]

/**
 * One script under both names, POSIX sh with builtins only: starting anything else would cost more than the whole question. It writes the refs to a
 * socket it inherited and prints the answer. When the control plane dies the kernel closes the socket's other end, so neither direction can hang.
 */
const HOOK = `#!/bin/sh
# Written by heddle at each start: changes are lost. Asks the control plane over file descriptor ${HOOK_DESCRIPTOR}.
hook=\${0##*/}
trap '' PIPE
undecided() {
  if [ "$hook" = pre-receive ]; then
    printf '%s\\n' "heddle: refused: $1" "heddle: nothing was changed; $2" >&2
    exit 1
  fi
  printf '%s\\n' "heddle: the push is stored, but $1" "heddle: it is picked up when the control plane starts again" >&2
  exit 0
}
if [ "\${HEDDLE_PUSH-}" != ${HOOK_DESCRIPTOR} ] || ! { true >&${HOOK_DESCRIPTOR}; } 2>/dev/null; then
  undecided 'this push did not come through the control plane.' "push to the repository's http address (heddle show <product>)."
fi
{
  printf '%s\\n' "$hook" "quarantine \${GIT_QUARANTINE_PATH-}" "alternates \${GIT_ALTERNATE_OBJECT_DIRECTORIES-}" &&
  while IFS= read -r line; do printf 'ref %s\\n' "$line" || break; done &&
  printf '.\\n'
} >&${HOOK_DESCRIPTOR} 2>/dev/null || undecided 'the control plane does not answer.' 'push again when it is up (heddle status).'
exec 0<&${HOOK_DESCRIPTOR}
while IFS= read -r line; do
  case $line in
    'exit 0') exit 0 ;;
    'exit 1') exit 1 ;;
    *) printf '%s\\n' "\${line#= }" >&2 ;;
  esac
done
undecided 'the control plane stopped before it answered.' 'push again when it is up (heddle status).'
`

/** Writes the hooks into a folder outside every repository. Twice changes nothing; a changed or missing hook is put right. */
export async function installHooks(hooksDir: string): Promise<void> {
  await mkdir(hooksDir, { recursive: true, mode: 0o755 })
  for (const name of HOOK_NAMES) {
    const path = join(hooksDir, name)
    const standing = await readFile(path, 'utf8').catch(() => null)
    if (standing === HOOK && (await isExecutable(path))) continue
    const fresh = join(hooksDir, `.${name}.${process.pid}`)
    await writeFile(fresh, HOOK, { mode: 0o555 })
    await rename(fresh, path)
  }
}

/** git skips a hook it may not execute (also on a noexec mount) and would take the push unjudged, so this is asked before each push. */
export async function hooksStand(hooksDir: string): Promise<boolean> {
  for (const name of HOOK_NAMES) if (!(await isExecutable(join(hooksDir, name)))) return false
  return true
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
