import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { HOSTILE } from '../../src/spec/fixtures/hostile-texts.ts'
import { requestFor, SPEC } from '../../src/spec/fixtures/small-spec.ts'
import { createValidationWorker } from '../../src/spec/validate-in-worker.ts'

const MAIN_LOOP_MS = 50
const ANSWER_MS = 1_000

/** How long the event loop was ever away while `work` ran. */
async function longestPause(work: () => Promise<void>): Promise<number> {
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
  }, 2)
  await work()
  clearInterval(timer)
  return longest
}

test('hostile texts are refused within a second, the main loop is never away and the process lives', async () => {
  const worker = createValidationWorker()
  await worker.warm()
  const slow: string[] = []
  const pause = await longestPause(async () => {
    for (const { name, text, code } of HOSTILE) {
      const began = performance.now()
      const { spec, diagnostics } = await worker.validateInWorker(requestFor(text))
      const ms = performance.now() - began
      if (ms > ANSWER_MS) slow.push(`${name}: ${Math.round(ms)} ms`)
      assert.equal(spec, null)
      // More than 4 MB is refused before it is copied.
      const expected = name === 'one scalar of 10 MB' ? 'SPEC_CHECK_TIMEOUT' : code
      assert.ok(
        diagnostics.some((one) => one.code === expected),
        `${name}: ${JSON.stringify(diagnostics)}`,
      )
    }
  })
  assert.deepEqual(slow, [])
  assert.ok(pause <= MAIN_LOOP_MS, `the main loop was away for ${Math.round(pause)} ms`)
  assert.equal((await worker.validateInWorker(requestFor(SPEC))).diagnostics.length, 0)
  await worker.close()
})

test('what takes too long is killed, and the next request is answered', async () => {
  // Legal, and slow to check: every object of the port times every service level.
  const objects = Array.from(
    { length: 100 },
    (_, i) => `            - {name: o${i}, properties: [{name: id, logicalType: string, primaryKey: true}]}`,
  )
  const slos = Array.from(
    { length: 400 },
    (_, i) =>
      `              - {name: a${i}, indicator: {thresholdMetric: {metricSource: {type: availability, spec: {object: "*"}}}}, objectives: [{op: gte, value: 1, target: 0.9}]}`,
  )
  const text = SPEC.replace(
    '            - name: planes\n              properties',
    () => `${objects.join('\n')}\n            - name: planes\n              properties`,
  ).replace('            availability: 99%', () => `            slos:\n${slos.join('\n')}\n            availability: 99%`)
  const worker = createValidationWorker({ deadlineMs: 60 })
  await worker.warm()
  const began = performance.now()
  let killed: string[] = []
  const pause = await longestPause(async () => {
    killed = (await worker.validateInWorker(requestFor(text))).diagnostics.map((one) => one.code)
  })
  assert.deepEqual(killed, ['SPEC_CHECK_TIMEOUT'])
  assert.ok(performance.now() - began < ANSWER_MS)
  assert.ok(pause <= MAIN_LOOP_MS, `the main loop was away for ${Math.round(pause)} ms`)
  await worker.close()
  const next = createValidationWorker()
  assert.equal((await next.validateInWorker(requestFor(SPEC))).spec?.name, 'planes')
  await next.close()
})

test('a machine that gives the thread no time is waited for', async () => {
  const script = `import { createValidationWorker } from ${JSON.stringify(new URL('../../src/spec/validate-in-worker.ts', import.meta.url))}
    const worker = createValidationWorker({ deadlineMs: 1_000 })
    await worker.warm()
    process.stdout.write('warm')
    const request = JSON.parse(process.argv[2])
    const answer = worker.validateInWorker(request)
    await new Promise(setImmediate)
    // Stopped as soon as it is asked: its deadline is over when it wakes, and it has done next to nothing.
    process.kill(process.pid, 'SIGSTOP')
    console.log(JSON.stringify((await answer).diagnostics.map(({ code }) => code)))
    await worker.close()`
  const folder = await mkdtemp(join(tmpdir(), 'heddle-starved-'))
  await writeFile(join(folder, 'starved.mjs'), script)
  const child = spawn(process.execPath, [join(folder, 'starved.mjs'), JSON.stringify(requestFor(SPEC))])
  const out: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    if (out.push(chunk) === 1) setTimeout(() => child.kill('SIGCONT'), 2_500)
  })
  child.stderr.pipe(process.stderr)
  await once(child, 'close')
  await rm(folder, { recursive: true })
  assert.equal(Buffer.concat(out).toString(), 'warm[]\n')
})

test('equal requests are answered from the cache; requests at the same time queue up', async () => {
  const worker = createValidationWorker()
  const texts = Array.from({ length: 8 }, (_, i) => `${SPEC}# ${i}\n`)
  const first = await Promise.all(texts.map((text) => worker.validateInWorker(requestFor(text))))
  assert.ok(first.every(({ spec }) => spec?.name === 'planes'))
  const again = await worker.validateInWorker(requestFor(texts[3]!))
  assert.equal(again, first[3])
  await worker.close()
})
