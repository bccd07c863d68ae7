import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { access } from './access.ts'
import { budget } from './budget.ts'
import { cli } from './cli.ts'
import { dataPort } from './data-port.ts'
import { deploy } from './deploy.ts'
import type { Bench, Figure, Outcome } from './figures.ts'
import { describeCommit, describeMachine, load } from './machine.ts'
import { memory } from './memory.ts'
import { push } from './push.ts'
import { replay } from './replay.ts'
import { rollback } from './rollback.ts'
import { searching } from './search.ts'
import { start } from './start.ts'
import { triggers } from './triggers.ts'
import { usage } from './usage.ts'

/** `npm run bench [-- NAME…]`: runs the benches, shows a table of each and writes bench/results/<name>.json. Exit code 1 when a limit is missed. */
const BENCHES: readonly Bench[] = [
  start,
  cli,
  memory,
  replay,
  push,
  triggers,
  deploy,
  access,
  budget,
  rollback,
  searching,
  usage,
  dataPort,
]
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !BENCHES.some((bench) => bench.name === name))
if (unknown.length > 0) {
  console.error(`No bench "${unknown[0]}": ${BENCHES.map((bench) => bench.name).join(', ')}`)
  process.exit(2)
}
const folder = join(import.meta.dirname, 'results')
mkdirSync(folder, { recursive: true })
const machine = describeMachine()
const commit = describeCommit()
let missed = 0
for (const bench of BENCHES.filter(({ name }) => asked.length === 0 || asked.includes(name))) {
  const began = performance.now()
  console.log(`\n== ${bench.name}: ${bench.about}`)
  const loadBefore = load()
  const outcome = await bench.run((line) => console.log(`   ${line}`))
  const seconds = Math.round((performance.now() - began) / 1000)
  show(outcome)
  missed += outcome.limits.filter((limit) => !limit.ok).length
  const at = new Date().toISOString()
  const result = { bench: bench.name, at, commit, machine, load: { before: loadBefore, after: load() }, seconds, ...outcome }
  writeFileSync(join(folder, `${bench.name}.json`), `${JSON.stringify(result, null, 2)}\n`)
}
console.log(missed === 0 ? '\nevery limit holds' : `\n${missed} limits are missed`)
process.exit(missed === 0 ? 0 : 1)

function show({ figures, ratios, limits, notes }: Outcome): void {
  const rows = [...Object.entries(figures), ...Object.entries(ratios)]
  const width = Math.max(...rows.map(([name]) => name.length))
  console.log(`   ${''.padEnd(width)}  ${['median', 'mad', 'min', 'max'].map((word) => word.padStart(9)).join('')}`)
  for (const [name, value] of rows) console.log(`   ${name.padEnd(width)}  ${cells(value)} ${value.unit}`)
  for (const { what, value, limit, unit, ok } of limits)
    console.log(`   ${ok ? 'ok  ' : 'MISS'} ${what}: ${value} ${unit}, limit ${limit} ${unit}`)
  for (const note of notes) console.log(`   · ${note}`)
}

function cells({ median, mad, min, max }: Figure): string {
  return [median, mad, min, max].map((value) => String(value).padStart(9)).join('')
}
