import { sql } from 'kysely'
import type { ProductAddress } from '../core/address.ts'
import { formatProductAddress } from '../core/address.ts'
import { fail } from '../core/fail.ts'
import { newId } from '../core/id.ts'
import { inTransaction, json, type Queries } from '../store/control.ts'
import { makeSearchable } from './make-searchable.ts'

export type ProductRow = {
  id: string
  domain: string
  name: string
  title: string
  owner: string
  state: 'draft' | 'active' | 'retired'
  uid: number
  created_at: Date
}
export type DomainRow = {
  name: string
  title: string
  owners: string[]
  budget: { connections: number; statementMs: number; tempFileBytes: number }
}

export async function findProduct(queries: Queries, { domain, product }: ProductAddress): Promise<ProductRow | null> {
  return (
    (await queries
      .selectFrom('product')
      .selectAll()
      .where('domain', '=', domain)
      .where('name', '=', product)
      .executeTakeFirst()) ?? null
  )
}

/** @throws PRODUCT_UNKNOWN with the nearest name */
export async function needProduct(queries: Queries, address: ProductAddress): Promise<ProductRow> {
  const found = await findProduct(queries, address)
  if (found) return found
  const names = await queries.selectFrom('product').select(['domain', 'name']).execute()
  const near = names.find((row) => row.name === address.product || row.name.startsWith(address.product.slice(0, 3)))
  throw fail('PRODUCT_UNKNOWN', {
    what: `There is no product ${formatProductAddress(address)}`,
    fix: near ? `Did you mean ${near.domain}/${near.name}?` : 'heddle status lists the products there are.',
  })
}

/** Approvers as a spec or deploy file names them: the word `owner` stands for the owners of the product and of its domain. */
export function namedApprovers(names: readonly string[], product: ProductRow, domain: DomainRow): string[] {
  return [...new Set(names.flatMap((name) => (name === 'owner' ? [...domain.owners, product.owner] : [name])))]
}

/** Until the transaction ends nobody else plans this product. References to it are not held up. */
export async function lockProduct(queries: Queries, id: string): Promise<void> {
  await queries.selectFrom('product').select('id').where('id', '=', id).forNoKeyUpdate().executeTakeFirstOrThrow()
}

/** As lockProduct, and nobody stores a run or anything else for it meanwhile: a retirement must see all there is. */
export async function lockProductWhole(queries: Queries, id: string): Promise<ProductRow> {
  return queries.selectFrom('product').selectAll().where('id', '=', id).forUpdate().executeTakeFirstOrThrow()
}

/** A product that can be worked with. @throws PRODUCT_UNKNOWN, PRODUCT_RETIRED */
export async function needLiving(queries: Queries, address: ProductAddress): Promise<ProductRow> {
  const product = await needProduct(queries, address)
  if (product.state !== 'retired') return product
  const text = formatProductAddress(address)
  throw fail('PRODUCT_RETIRED', { what: `${text} is retired`, fix: `Bring it back: heddle restore ${text}` })
}

export async function productById(queries: Queries, id: string): Promise<ProductRow> {
  return queries.selectFrom('product').selectAll().where('id', '=', id).executeTakeFirstOrThrow()
}

/** Those of these that there are, in no order. */
export async function productsById(queries: Queries, ids: readonly string[]): Promise<ProductRow[]> {
  if (ids.length === 0) return []
  return queries
    .selectFrom('product')
    .selectAll()
    .where('id', 'in', [...ids])
    .execute()
}

export async function listProducts(queries: Queries, domain?: string): Promise<ProductRow[]> {
  const all = queries.selectFrom('product').selectAll().orderBy('domain').orderBy('name')
  return (domain ? all.where('domain', '=', domain) : all).execute()
}

/** Reserves the name: the row is the claim, its UUID the owner tag of everything built for it. @throws PRODUCT_NAME_TAKEN */
export async function insertProduct(
  queries: Queries,
  product: { domain: string; name: string; title: string; owner: string },
): Promise<ProductRow> {
  const row = await queries
    .insertInto('product')
    .values({ id: newId(), ...product, state: 'draft' })
    .onConflict((conflict) => conflict.columns(['domain', 'name']).doNothing())
    .returningAll()
    .executeTakeFirst()
  if (row) return row
  const holder = await findProduct(queries, { domain: product.domain, product: product.name })
  if (holder?.state === 'retired') throw nameKept(holder)
  throw fail('PRODUCT_NAME_TAKEN', {
    what: `${product.domain}/${product.name} exists since ${holder?.created_at.toISOString().slice(0, 10)}, owned by ${holder?.owner}`,
    fix: `Choose another name, or look at it: heddle show ${product.domain}/${product.name}`,
  })
}

/** The name of a retired product stays its own, so that it can come back. */
export function nameKept(holder: Pick<ProductRow, 'domain' | 'name' | 'owner'>) {
  const address = `${holder.domain}/${holder.name}`
  return fail('PRODUCT_NAME_TAKEN', {
    what: `${address} is retired; its name is kept for its archive`,
    fix: `Choose another name, or bring it back: heddle restore ${address}`,
  })
}

export async function setProductTitle(queries: Queries, id: string, title: string): Promise<ProductRow> {
  return inTransaction(queries, async (transaction) => {
    const row = await transaction
      .updateTable('product')
      .set({ title })
      .where('id', '=', id)
      .returningAll()
      .executeTakeFirstOrThrow()
    await makeSearchable(transaction, id)
    return row
  })
}

export async function setProductState(queries: Queries, id: string, state: ProductRow['state']): Promise<void> {
  await queries.updateTable('product').set({ state }).where('id', '=', id).execute()
}

export async function forgetProduct(queries: Queries, id: string): Promise<void> {
  await queries.deleteFrom('inventory').where('product', '=', id).execute()
  // The row stays, because runs and the audit refer to it; its name becomes free.
  await queries
    .updateTable('product')
    .set({ state: 'retired', name: sql<string>`name || '~' || left(id::text, 13)` })
    .where('id', '=', id)
    .where('name', 'not like', '%~%')
    .execute()
  await makeSearchable(queries, id)
}

export async function needDomain(queries: Queries, name: string): Promise<DomainRow> {
  const row = await queries.selectFrom('domain').selectAll().where('name', '=', name).executeTakeFirst()
  if (row) return row
  const names = (await queries.selectFrom('domain').select('name').orderBy('name').execute()).map((each) => each.name)
  throw fail('DOMAIN_UNKNOWN', {
    what: `There is no domain "${name}"`,
    fix: names.length ? `Domains: ${names.join(', ')}.` : `Ask for it: heddle api POST /requests (kind domain).`,
  })
}

export async function listDomains(queries: Queries): Promise<(DomainRow & { products: number })[]> {
  return queries
    .selectFrom('domain')
    .leftJoin('product', (join) => join.onRef('product.domain', '=', 'domain.name').on('product.state', '<>', 'retired'))
    .select(['domain.name', 'domain.title', 'domain.owners', 'domain.budget'])
    .select(({ fn }) => fn.count<number>('product.id').as('products'))
    .groupBy('domain.name')
    .orderBy('domain.name')
    .execute()
}

/** A new domain that was approved. @throws DOMAIN_NAME_TAKEN */
export async function insertDomain(queries: Queries, domain: DomainRow): Promise<void> {
  const made = await queries
    .insertInto('domain')
    .values({ ...domain, budget: json(domain.budget) })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .returning('name')
    .executeTakeFirst()
  if (!made) throw fail('DOMAIN_NAME_TAKEN', { what: `Domain ${domain.name} exists by now` })
}

export async function upsertDomain(queries: Queries, domain: DomainRow): Promise<void> {
  await queries
    .insertInto('domain')
    .values({ ...domain, budget: json(domain.budget) })
    .onConflict((conflict) =>
      conflict.column('name').doUpdateSet({ title: domain.title, owners: domain.owners, budget: json(domain.budget) }),
    )
    .execute()
}
