import type { ProductAddress } from '../core/address.ts'
import type { Fence } from '../platform/resource.ts'
import type { RunKind } from '../store/schema.ts'

/** What a command knows of the run it works for. `detail` is what the run was started with (request number, reason, release label …). */
export type RunFacts = {
  id: string
  number: number
  kind: RunKind
  lane: string
  product: ProductAddress & { id: string; uid: number; title: string }
  environment: string
  commit: string | null
  by: string
  epoch: number
  detail: Record<string, unknown>
}

export type CommandContext = {
  run: RunFacts
  step: { id: string; attempt: number }
  fence: Fence
  signal: AbortSignal
  /** one line for people, no row values, no secrets */
  log(line: string): void
  /** a typed event for live views: `node` for dbt nodes */
  event(kind: 'node' | 'progress', data: Record<string, unknown>): void
  /** what an earlier step gave; fails when that step has not succeeded */
  result<T>(step: string): T
  /** state shared by the steps of one execution of the run, gone with the process: leases taken, checkouts made */
  memo: Map<string, unknown>
}

export type CommandArgs = Record<string, unknown>
export type CommandResult = Record<string, unknown>

/** One action on one component or resource. Must bear being run again after a crash at any point. */
export type Command = {
  name: string
  run(context: CommandContext, args: CommandArgs): Promise<CommandResult>
  /** Asked before a second attempt when the first one's end is unknown: the result if the effect happened, else null. */
  confirm?(context: CommandContext, args: CommandArgs): Promise<CommandResult | null>
}
