import type { Queries } from '../store/control.ts'
import { withdrawReleases } from './releases.ts'

/** What we hold of a product's resources that are gone. Runs, releases, agreements, evidence and audit stay: they are its history. */
export async function forgetResources(queries: Queries, product: string): Promise<void> {
  await queries.deleteFrom('inventory').where('product', '=', product).execute()
  await queries.deleteFrom('batch').where('product', '=', product).execute()
  await queries.deleteFrom('handled_push').where('product', '=', product).execute()
  // who read what is about people: it goes, and the run's plan keeps the sum
  await queries.deleteFrom('usage').where('product', '=', product).execute()
  await queries.deleteFrom('usage_port').where('product', '=', product).execute()
  await removeTriggers(queries, product)
  await withdrawReleases(queries, product)
}

/** Nothing starts by itself any more. */
export async function removeTriggers(queries: Queries, product: string): Promise<void> {
  await queries.deleteFrom('trigger').where('product', '=', product).execute()
}

export async function listTriggers(queries: Queries, product: string): Promise<string[]> {
  const rows = await queries.selectFrom('trigger').select(['environment', 'component']).where('product', '=', product).execute()
  return rows.map(({ environment, component }) => `${component} in ${environment}`)
}
