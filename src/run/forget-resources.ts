import type { Queries } from '../store/control.ts'
import { withdrawReleases } from './releases.ts'

/** What we hold of a product's resources that are gone. Runs, releases, agreements, evidence and audit stay: they are its history. */
export async function forgetResources(queries: Queries, product: string): Promise<void> {
  await queries.deleteFrom('inventory').where('product', '=', product).execute()
  await queries.deleteFrom('batch').where('product', '=', product).execute()
  await queries.deleteFrom('handled_push').where('product', '=', product).execute()
  await withdrawReleases(queries, product)
}
