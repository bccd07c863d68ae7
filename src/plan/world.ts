import { hashOf } from '../core/canonical.ts'
import type { DeployFile, ProductSpec } from '../spec/types.ts'
import type { Plan, Step } from './step.ts'

/** Raised when what a step produces changes its meaning; part of every input hash, so an upgrade is planned like any other change. */
export const RENDERER_VERSION = 1

export type PlannedProduct = { id: string; domain: string; name: string; title: string }
export type DomainFacts = {
  name: string
  title: string
  owners: string[]
  budget: { connections: number; statementMs: number; tempFileBytes: number }
}

/** `environment address → input hash` of everything we own for this product and its domain. */
export type Inventory = Readonly<Record<string, string>>

/** Everything a deploy plan is made from: one frozen value, hashed. The plan reads nothing else and writes nothing. */
export type DeployWorld = {
  product: PlannedProduct
  domain: DomainFacts
  environment: string
  commit: string
  /** hash over the files of the commit that matter to a release */
  content: string
  spec: ProductSpec
  deploy: DeployFile
  inventory: Inventory
  /** the release that is served, or null */
  current: { number: number; label: string; content: string; revision: number } | null
  /** the revision number this deploy would make */
  revision: number
  /** consumers with an active agreement, by port */
  consumers: { subject: string; port: string }[]
  /** output ports of other products that this one reads */
  upstreams: UpstreamPort[]
}

/** One data-product input port, resolved: which port and major it means here. Which publication is read is decided when the run starts. */
export type UpstreamPort = {
  /** name of the input port */
  input: string
  place: { id: string; domain: string; product: string }
  port: string
  major: number
  versionRange: string
  /** objects read, each with the columns relied on and the name of its view in this product's private schema */
  objects: { name: string; table: string; columns: string[] }[]
}

export type BootstrapWorld = {
  product: PlannedProduct
  domain: DomainFacts
  environments: string[]
  purpose: string
  /** where the first files come from: `standard`, or a template that mesh.yml names */
  template: string
  inventory: Inventory
}

export function inventoryKey(environment: string, address: string): string {
  return `${environment} ${address}`
}

/** A step that stands for a resource is left out when the inventory already holds the same input. */
export function onlyChanged(inventory: Inventory, steps: readonly Step[]): Step[] {
  const kept = steps.filter((step) => {
    const environment = String(step.args.environment ?? '*')
    return !step.resource || inventory[inventoryKey(environment, step.address)] !== step.resource.inputHash
  })
  const ids = new Set(kept.map((step) => step.id))
  return kept.map((step) => ({ ...step, dependsOn: step.dependsOn.filter((id) => ids.has(id)) }))
}

export function resource(kind: string, input: unknown): { kind: string; inputHash: string } {
  return { kind, inputHash: hashOf({ kind, input, renderer: RENDERER_VERSION }) }
}

export function planOf(world: unknown, steps: Step[], affected: string[]): Plan {
  return { steps, affected, worldHash: hashOf(world) }
}
