import { listProducts } from '../catalog/products.ts'
import { formatProductAddress, type ProductAddress } from '../core/address.ts'
import { fail } from '../core/fail.ts'
import { productNames, sqlName } from '../core/names.ts'
import type { ProductSpec } from '../spec/types.ts'
import type { Queries } from '../store/control.ts'

/** Names of schemas and roles differ by environment in their first part only, so one stands for all. */
const ANY = 'any'

/**
 * In a warehouse `-` is `_`, so two addresses may mean one schema or role, and a product's schema may be another's port. Said when the product is asked for,
 * with who holds the name; ports made later are judged by the warehouse.
 * @throws PRODUCT_NAME_TAKEN
 */
export async function refuseTakenNames(queries: Queries, wanted: ProductAddress): Promise<void> {
  const mine = ownNames(wanted)
  for (const { domain, name } of await listProducts(queries)) {
    const other = { domain, product: name }
    if (domain === wanted.domain && name === wanted.product) continue
    const shared = ownNames(other).find((one) => mine.includes(one))
    if (shared) throw taken(wanted, shared, `the product ${formatProductAddress(other)}`)
  }
  const schema = sqlName(wanted.domain, wanted.product)
  // Only such a name can be a port's schema.
  if (!/_v[0-9]+$/.test(schema)) return
  const releases = await queries
    .selectFrom('release')
    .innerJoin('product', 'product.id', 'release.product')
    .select(['product.domain', 'product.name', 'release.spec'])
    .where('release.current', '=', true)
    .execute()
  for (const { domain, name, spec } of releases) {
    const names = productNames(ANY, domain, name)
    const port = (spec as ProductSpec).outputs.find((output) => names.served(output.port, output.major) === schema)
    if (port) throw taken(wanted, schema, `the port ${port.port} of ${domain}/${name}`)
  }
}

function ownNames({ domain, product }: ProductAddress): string[] {
  const names = productNames(ANY, domain, product)
  return [names.private, names.build, ...Object.values(names.role).map((role) => role.replace(`${ANY}__`, ''))]
}

function taken(wanted: ProductAddress, name: string, holder: string) {
  return fail('PRODUCT_NAME_TAKEN', {
    what: `${formatProductAddress(wanted)} would be ${name} in the warehouse, which ${holder} has`,
    why: 'in the names of schemas and roles - and _ are the same, and domain and product stand in one name',
    fix: 'Choose another name.',
  })
}
