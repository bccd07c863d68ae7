import { setTimeout as pause } from 'node:timers/promises'
import type pg from 'pg'

/** Asks the database, which costs next to nothing; asking the API would be work for the platform that is measured. */
export async function untilSucceeded(control: pg.Client, run: number): Promise<void> {
  for (const end = Date.now() + 120_000; ; await pause(25)) {
    const { rows } = await control.query<{ bench_state: string }>('SELECT state AS bench_state FROM run WHERE number = $1', [run])
    const state = rows[0]!.bench_state
    if (state === 'succeeded') return
    if (state === 'failed' || Date.now() > end) throw new Error(`run ${run} is ${state}`)
  }
}
