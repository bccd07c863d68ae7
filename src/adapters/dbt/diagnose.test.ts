import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diagnose } from './diagnose.ts'
import { parseRawEvent, type RawDone, type RawNodeFinished } from './raw-event.ts'
import type { JobEnd } from './watch-job.ts'

const node = (over: Partial<RawNodeFinished> = {}): RawNodeFinished => ({
  event: 'node-finished',
  node: 'model.p.a',
  resource: 'model',
  name: 'a',
  status: 'error',
  seconds: 1,
  rows: null,
  failures: null,
  message: 'Database Error in model a (models/a.sql)\n  value "Jane Roe" is out of range',
  file: 'models/a.sql',
  line: 7,
  column: 3,
  at: 0,
  ...over,
})
const test3 = node({
  resource: 'test',
  name: 't',
  status: 'fail',
  failures: 3,
  message: 'Got 3 results',
  file: 'models/s.yml',
  line: null,
  column: null,
})
const done = (over: Partial<RawDone> = {}): RawDone => ({ event: 'done', success: false, parsed: true, exception: null, ...over })
const exception = (type: string, message: string) => ({ type, message, file: null, line: null, column: null })
const end = (over: Partial<JobEnd>): JobEnd => ({
  done: done(),
  ending: null,
  fork: { code: 0, signal: null, serverGone: false },
  failed: [],
  ...over,
})

const cases: { name: string; end: JobEnd; outcome: string; codes: string[] }[] = [
  { name: 'green', end: end({ done: done({ success: true }) }), outcome: 'succeeded', codes: [] },
  {
    name: 'a test that only warns',
    end: end({ done: done({ success: true }), failed: [{ ...test3, status: 'warn' }] }),
    outcome: 'succeeded',
    codes: ['warning TRANSFORM_TEST_FAILED'],
  },
  { name: 'a failing test', end: end({ failed: [test3] }), outcome: 'failed', codes: ['error TRANSFORM_TEST_FAILED'] },
  {
    name: 'a test that cannot run',
    end: end({ failed: [{ ...test3, status: 'error' }] }),
    outcome: 'failed',
    codes: ['error TRANSFORM_MODEL_FAILED'],
  },
  { name: 'failed without a reason', end: end({}), outcome: 'failed', codes: ['error TRANSFORM_BUILD_FAILED'] },
  {
    name: 'cancelled',
    end: end({ ending: 'cancelled', failed: [node()] }),
    outcome: 'cancelled',
    codes: ['error TRANSFORM_JOB_CANCELLED'],
  },
  { name: 'too late', end: end({ ending: 'timeout', done: null }), outcome: 'failed', codes: ['error TRANSFORM_JOB_TIMEOUT'] },
  { name: 'silent', end: end({ ending: 'silent', done: null }), outcome: 'lost', codes: ['error TRANSFORM_JOB_LOST'] },
  {
    name: 'killed',
    end: end({ done: null, fork: { code: null, signal: 9, serverGone: false } }),
    outcome: 'lost',
    codes: ['error TRANSFORM_JOB_LOST'],
  },
  {
    name: 'not parsed',
    end: end({ done: done({ parsed: false, exception: exception('CompilationError', 'x') }) }),
    outcome: 'failed',
    codes: ['error TRANSFORM_PROJECT_UNPARSABLE'],
  },
  {
    name: 'no packages',
    end: end({ done: done({ parsed: false, exception: exception('UninstalledPackagesFoundError', 'x') }) }),
    outcome: 'failed',
    codes: ['error TRANSFORM_PACKAGES_MISSING'],
  },
  {
    name: 'no database',
    end: end({ done: done({ exception: exception('FailedToConnectError', 'x') }) }),
    outcome: 'failed',
    codes: ['error TRANSFORM_DATABASE_UNREACHABLE'],
  },
  {
    name: 'a crash after parsing',
    end: end({ done: done({ exception: exception('KeyError', 'x') }) }),
    outcome: 'failed',
    codes: ['error TRANSFORM_BUILD_FAILED'],
  },
]

for (const { name, end: given, outcome, codes } of cases) {
  test(`diagnose: ${name}`, () => {
    const found = diagnose(given, { timeoutMs: 1000 })
    assert.deepEqual([found.outcome, found.diagnostics.map(({ severity, code }) => `${severity} ${code}`)], [outcome, codes])
  })
}

test('a failed model is said with its place and without its values', () => {
  const [found] = diagnose(end({ failed: [node()] }), { timeoutMs: 1000 }).diagnostics
  assert.deepEqual(found?.at, { file: 'models/a.sql', line: 7, column: 3 })
  assert.equal(found?.why, 'value "…" is out of range')
})

test('what a job sends is taken only in the shape agreed on', () => {
  const good = JSON.stringify(node())
  assert.ok(parseRawEvent(good))
  for (const bad of [
    '',
    '{',
    'null',
    '[]',
    '{"event":"toString"}',
    '{"event":"started","isolation":"root"}',
    good.replace('"seconds":1', '"seconds":"1"'),
    good.replace('"message"', '"other"'),
  ]) {
    assert.equal(parseRawEvent(bad), null, bad)
  }
})

test('a database that went away is no fault of the project: the job is lost, and may be tried again', () => {
  for (const message of [
    'Database Error in model a (models/a.sql)\n  server closed the connection unexpectedly',
    'Database Error in model a (models/a.sql)\n  terminating connection due to unexpected postmaster exit',
    'connection to server at "127.0.0.1", port 5432 failed: FATAL:  the database system is starting up',
  ]) {
    assert.equal(diagnose(end({ failed: [node({ message })] }), { timeoutMs: 1 }).outcome, 'lost', message)
    assert.equal(
      diagnose(end({ done: done({ exception: exception('DbtDatabaseError', message) }) }), { timeoutMs: 1 }).outcome,
      'lost',
    )
  }
  assert.equal(diagnose(end({ failed: [node()] }), { timeoutMs: 1 }).outcome, 'failed')
})
