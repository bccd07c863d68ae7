import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { parseArguments } from '../../src/cli/parse.ts'
import { VERBS } from '../../src/cli/verbs.ts'
import { cli, newRequestCommand } from '../../web/src/text/cli.ts'

test('every command the portal offers to copy is one the shell and the command line understand', () => {
  const access = {
    product: 'fleet/planes',
    port: 'planes',
    purpose: 'analytics',
    duration: '90d',
    environment: 'prod',
    offer: 'o',
    justification: "it's for $ANA",
  }
  const commands: [string, string][] = [
    ['retry', cli.retryRun(812)],
    ['cancel', cli.cancelRun(812)],
    ['approve', cli.approveRun(812)],
    ['deny', cli.denyRun(812)],
    ['logs', cli.logs(812, true)],
    ['approve', cli.approveRequest(55)],
    ['deny', cli.denyRequest(55)],
    ['retry', cli.retryRequest(55)],
    ['undo', cli.undoRequest(55)],
    ['request withdraw', cli.withdrawRequest(55)],
    ['clone', cli.clone('fleet/planes')],
    ['connect', cli.connect('fleet/planes', 'prod')],
    ['access revoke', cli.revoke(42, "it's over; now")],
    ['slo', cli.slo('fleet/planes')],
    ['incidents', cli.incidents()],
    ['rollback', cli.rollback('fleet/planes', 'prod', 3)],
    ['refresh', cli.refresh('fleet/planes', 'prod')],
    ['deploy', cli.deploy('fleet/planes')],
    ['retire', cli.retire('fleet/planes')],
    ['access revoke', cli.revoke(42)],
    ['retire', newRequestCommand({ kind: 'retire', payload: { product: 'fleet/planes', because: "it's $OLD" } })],
    ['restore', newRequestCommand({ kind: 'restore', payload: { product: 'fleet/planes' } })],
    ['open', cli.open()],
    [
      'new',
      newRequestCommand({
        kind: 'product',
        payload: { domain: 'fleet', name: 'planes', title: 'Planes in service', purpose: 'a; b', owner: 'team' },
      }),
    ],
    ['access request', newRequestCommand({ kind: 'access', payload: access })],
    [
      'request domain',
      newRequestCommand({ kind: 'domain', payload: { name: 'fleet', title: 'The fleet', owners: ['ana', 'ben'] } }),
    ],
  ]
  for (const [verb, command] of commands) {
    const words = execFileSync('sh', ['-c', `printf '%s\\n' ${command}`], { encoding: 'utf8' })
      .trimEnd()
      .split('\n')
    assert.equal(words.shift(), 'heddle')
    const parsed = parseArguments(words, VERBS, 100)
    assert.equal(parsed.kind === 'verb' && parsed.verb.path, verb, command)
  }
  assert.ok(commands.length >= Object.keys(cli).length)
})
