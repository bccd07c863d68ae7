import type { Standing } from '../platform/warehouse.ts'
import { stepMaker } from './data-steps.ts'
import type { Plan, Step } from './step.ts'
import { type PlannedProduct, planOf } from './world.ts'

export type RetireWorld = {
  product: PlannedProduct
  because: string
  /** every environment of the mesh in which anything of the product stands, as its own catalogs say */
  environments: {
    name: string
    standing: Standing
    revisions: number[]
    release: { number: number; label: string } | null
    monitors: number
  }[]
  /** what was read of it lately, in words; its readers' names stay out of the plan */
  usage: string
  /** whose agreements are not over; the retirement is refused while there are any */
  consumers: string[]
  /** shared with other products, so it stays */
  kept: string[]
}

/**
 * stop → archive, read back → the last look, after which there is only forward → monitors → catalog → each environment → repository → rows →
 * certificate. Everything before `check` can be repeated or left; nothing is removed before it.
 */
export function planRetire(world: RetireWorld): Plan {
  const { product, because, environments } = world
  const names = environments.map(({ name }) => name)
  const make = stepMaker({ product, environment: '*' }, because)
  const steps: Step[] = []
  const add = (step: Omit<Step, 'address' | 'because' | 'dependsOn'> & { because?: string }) => {
    const before = steps.at(-1)
    steps.push(make({ ...step, dependsOn: before ? [before.id] : [] }))
  }
  add({
    id: 'stop',
    stage: 'stop',
    command: 'stop-product',
    title: 'No new runs; those under way end',
    args: {},
    risk: 'disruptive',
    because: `${because}. ${world.usage}`,
  })
  add({
    id: 'archive',
    stage: 'archive',
    command: 'archive-product',
    title: `Archive ${describeData(world)}, repository, spec, agreements, journal`,
    args: { environments: names },
    risk: 'safe',
  })
  add({
    id: 'check',
    stage: 'archive',
    command: 'check-retirement',
    title: 'Read the archive back and compare it with what stands: from here on only forward',
    args: { environments: names },
    risk: 'safe',
  })
  for (const { name, monitors } of environments)
    add({
      id: `monitors@${name}`,
      stage: 'monitors',
      command: 'apply-monitors',
      title: `Delete ${counted(monitors, 'monitor')} of ${name}`,
      args: { environment: name, domain: product.domain, levels: [] },
      risk: 'destructive',
    })
  add({
    id: 'delist',
    stage: 'catalog',
    command: 'delist-entry',
    title: 'Delist from the catalog; a tombstone says where the archive is',
    args: { kept: world.kept },
    risk: 'destructive',
  })
  for (const { name, standing } of environments)
    add({
      id: `remove@${name}`,
      stage: 'remove',
      command: 'remove-product',
      title: `Remove ${counted(standing.schemas.length, 'schema')}, ${counted(standing.roles.length, 'role')}, ${counted(standing.grants.length, 'grant')} in ${name}`,
      args: { environment: name },
      risk: 'destructive',
    })
  add({
    id: 'repository',
    stage: 'remove',
    command: 'close-repository',
    title: 'Remove the repository, its tokens and working folders',
    args: {},
    risk: 'destructive',
  })
  add({
    id: 'rows',
    stage: 'remove',
    command: 'forget-resources',
    title: 'Clear inventory, batches and pushes',
    args: {},
    risk: 'destructive',
  })
  add({
    id: 'certificate',
    stage: 'certificate',
    command: 'certify-retirement',
    title: 'Ask PostgreSQL and git that nothing is left',
    args: { kept: world.kept },
    risk: 'safe',
  })
  return planOf(world, steps, world.consumers)
}

function describeData({ environments }: RetireWorld): string {
  const served = environments.filter(({ revisions }) => revisions.length > 0)
  return served.length > 0
    ? `data of ${served.map(({ name, revisions }) => `${name} (${revisions.map((n) => `r${n}`).join(', ')})`).join(' and ')}`
    : 'no data'
}

function counted(n: number, noun: string): string {
  return `${n} ${n === 1 ? noun : `${noun}s`}`
}
