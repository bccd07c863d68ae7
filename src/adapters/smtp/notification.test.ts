import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMailServer } from '../../../test/receivers.ts'
import type { Message } from '../../platform/notification.ts'
import { createSmtpNotification } from './notification.ts'

const message: Message = {
  id: '01a20a69-6524-7f3f-845c-11bebed32da6',
  type: 'incident.resolved',
  thread: '01a20a69-0000-7000-8000-000000000000',
  subject: 'fleet/planes\r\nBcc: everybody@example.org',
  text: 'what\nsince\ncause\n',
  data: {},
  at: '2026-03-01T13:05:00.000Z',
}
const to = { kind: 'email', to: ['team@example.org', 'lead@example.org'] } as const
const { signal } = new AbortController()

test('a mail in its thread, in plain text, and no header by way of the subject', async () => {
  const server = await startMailServer()
  try {
    const notification = createSmtpNotification({
      host: '127.0.0.1',
      port: server.port,
      from: 'Heddle <heddle@example.org>',
      security: 'plain',
      user: null,
    })
    assert.deepEqual(await notification.send({ to, message, signal }), { outcome: 'delivered' })
    const [mail] = server.mails
    assert.equal(mail!.to.length, 2)
    const [head] = mail!.source.split('\n\n')
    assert.match(head!, /^Message-ID: <01a20a69-6524-7f3f-845c-11bebed32da6@example\.org>$/m)
    assert.match(head!, /^References: <01a20a69-0000-7000-8000-000000000000@example\.org>$/m)
    assert.match(head!, /^In-Reply-To: <01a20a69-0000-7000-8000-000000000000@example\.org>$/m)
    assert.doesNotMatch(head!, /^Bcc:/m)
    assert.match(mail!.source, /what\nsince\ncause/)
  } finally {
    await server.close()
  }
})

test('no server, or no nodemailer: it comes again later', async () => {
  const server = await startMailServer()
  await server.close()
  const deps = { host: '127.0.0.1', port: server.port, from: 'heddle@example.org', security: 'plain', user: null } as const
  assert.deepEqual(await createSmtpNotification(deps).send({ to, message, signal }), {
    outcome: 'later',
    problem: 'no mail server: ESOCKET',
    afterMs: null,
  })
  const missing = createSmtpNotification({ ...deps, load: () => Promise.reject(new RangeError('not there')) })
  assert.deepEqual(await missing.send({ to, message, signal }), {
    outcome: 'later',
    problem: 'NOTIFY_ADAPTER_MISSING: nodemailer is not installed',
    afterMs: null,
  })
})
