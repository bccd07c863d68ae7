import type { Address } from '../core/address.ts'

/** safe: nobody notices · disruptive: consumers notice a change · destructive: something is gone afterwards */
export type Risk = 'safe' | 'disruptive' | 'destructive'

/** The stages people see, in their order. */
export const STAGES = [
  'stop',
  'archive',
  'provision',
  'ingest',
  'transform',
  'verify',
  'policies',
  'publish',
  'monitors',
  'catalog',
  'repository',
  'access',
  'release',
  'remove',
  'certificate',
] as const
export type Stage = (typeof STAGES)[number]

/** Pure data: the same list is kept, shown, approved and run. `command` names a file of `src/commands/`; `args` is all it gets besides earlier results. */
export type Step = {
  id: string
  stage: Stage
  command: string
  address: Address
  title: string
  args: Record<string, unknown>
  dependsOn: string[]
  risk: Risk
  because: string
  /** what the inventory will hold when the step is done; equal hash there means the step is not planned again */
  resource?: { kind: string; inputHash: string }
}

export type Plan = {
  steps: Step[]
  /** consumers who will notice, by name */
  affected: string[]
  /** hash of everything the plan was made from */
  worldHash: string
}
