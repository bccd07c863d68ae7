import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseGitPath } from './path.ts'

test("git's three addresses and nothing else", () => {
  assert.deepEqual(parseGitPath('/git/fleet/planes.git/info/refs?service=git-upload-pack'), {
    domain: 'fleet',
    product: 'planes',
    rest: 'info/refs',
  })
  for (const rest of ['git-upload-pack', 'git-receive-pack']) assert.equal(parseGitPath(`/git/a/b-c.git/${rest}`)?.rest, rest)
  const nothing = [
    '/git/a/b.git/HEAD',
    '/git/a/b/info/refs',
    '/git/a/../b.git/info/refs',
    '/git/a%2f..%2fb.git/info/refs',
    '/git//b.git/info/refs',
    '/x/git/a/b.git/info/refs',
    '',
  ]
  for (const target of nothing) assert.equal(parseGitPath(target), null, target)
})
