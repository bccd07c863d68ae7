import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSigned, startWebhookReceiver } from '../../../test/receivers.ts'
import type { Message } from '../../platform/notification.ts'
import { isPublicAddress, refusalOf } from './guard.ts'
import { createWebhookNotification } from './notification.ts'
import { signatureOf, signingKey } from './sign.ts'

const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'
const clock = { now: () => new Date('2026-03-01T13:05:00.000Z') }
const { signal } = new AbortController()
const message: Message = {
  id: '01a20a69-6524-7f3f-845c-11bebed32da6',
  type: 'incident.opened',
  thread: 't',
  subject: 's',
  text: 't',
  data: { product: 'fleet/planes' },
  at: '2026-03-01T13:05:00.000Z',
}

test('the vector of Standard Webhooks', () => {
  const signed = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1614265330, body: '{"test": 2432232314}' }
  assert.equal(signatureOf(signingKey(secret)!, signed), 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  for (const wrong of ['', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_c2hvcnQ=', `whsec_${'A'.repeat(200)}`])
    assert.equal(signingKey(wrong), null, wrong)
})

test('addresses inside are refused, however they are written', () => {
  for (const inside of [
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0.0.0.0/',
    'https://10.1.2.3/',
    'https://172.31.0.1/',
    'https://192.168.1.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://100.64.0.1/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[fe80::1]/',
    'https://[fd00::1]/',
    'https://localhost/',
    'https://api.localhost/',
    'http://example.org/',
    'ftp://example.org/',
    'file:///etc/passwd',
    'https://user:word@example.org/',
    'nonsense',
  ])
    assert.notEqual(refusalOf(inside, []), null, inside)
  for (const outside of ['https://example.org/hook', 'https://8.8.8.8/', 'https://[2606:4700::1111]/'])
    assert.equal(refusalOf(outside, []), null, outside)
  assert.equal(refusalOf('http://127.0.0.1:9000/x', ['127.0.0.1:9000']), null)
  assert.notEqual(refusalOf('http://127.0.0.1:9001/x', ['127.0.0.1:9000']), null)
  assert.equal(isPublicAddress('nonsense'), false)
})

test('a name that stands for an address inside is refused when the connection is made', async () => {
  const notification = createWebhookNotification({
    allow: [],
    clock,
    resolve: (_name, _options, answer) => answer(null, [{ address: '10.0.0.7', family: 4 }]),
  })
  const sent = await notification.send({ to: { kind: 'webhook', url: 'https://hooks.example.org/', secret }, message, signal })
  assert.deepEqual(sent, {
    outcome: 'refused',
    problem: 'NOTIFY_ADDRESS_REFUSED: its name stands for an address inside a private network',
  })
})

test('delivered, later, gone; a redirect is not followed', async () => {
  const answers = [204, 503, 302, 410]
  const receiver = await startWebhookReceiver((call) => answers[call - 1]!)
  try {
    const notification = createWebhookNotification({ allow: [receiver.host], clock })
    const send = () => notification.send({ to: { kind: 'webhook', url: receiver.url, secret }, message, signal })
    assert.deepEqual(await send(), { outcome: 'delivered' })
    assert.deepEqual(await send(), { outcome: 'later', problem: 'the receiver answered 503', afterMs: null })
    assert.deepEqual(await send(), { outcome: 'later', problem: 'the receiver answered 302', afterMs: null })
    assert.equal((await send()).outcome, 'refused')
    assert.equal(receiver.calls.length, 4)
    for (const call of receiver.calls) assert.ok(isSigned(call, secret))
    assert.equal(receiver.calls[0]!.at, 1_772_370_300)
    assert.deepEqual(JSON.parse(receiver.calls[0]!.body), {
      type: 'incident.opened',
      timestamp: message.at,
      data: { product: 'fleet/planes', subject: 's', text: 't' },
    })
  } finally {
    await receiver.close()
  }
  const closed = createWebhookNotification({ allow: [receiver.host], clock })
  assert.equal((await closed.send({ to: { kind: 'webhook', url: receiver.url, secret }, message, signal })).outcome, 'later')
})

test('without a key nothing is sent', async () => {
  const notification = createWebhookNotification({ allow: ['127.0.0.1:1'], clock })
  const sent = await notification.send({ to: { kind: 'webhook', url: 'http://127.0.0.1:1/', secret: 'x' }, message, signal })
  assert.equal(sent.outcome, 'refused')
})
