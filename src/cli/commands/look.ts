import { every } from '../../client/client.ts'
import { fail } from '../../core/fail.ts'
import { isName } from '../../core/names.ts'
import type { Context } from '../context.ts'
import { EXIT } from '../exit-code.ts'
import { renderDomainTable, renderMe, renderSubjectTable } from '../views/human/people.ts'
import { renderProduct, renderProductTable } from '../views/human/product.ts'
import { cleanLine } from '../views/human/style.ts'

export async function status(context: Context): Promise<number> {
  const domain = context.args[0]
  if (domain !== undefined && !isName(domain))
    throw fail('CLI_USAGE_INVALID', { what: `"${domain}" is not a domain`, fix: 'One product: heddle show domain/product' })
  const client = await context.client()
  const [products, { services }] = await Promise.all([every((cursor) => client.products({ domain, cursor })), client.health()])
  // what is on its way to being there, such as the sample's past
  const coming = services.filter((service) => service.state !== 'up')
  context.print({ products, coming }, (style) => [
    ...(products.length > 0 ? renderProductTable(products, style) : ['No product here yet.  heddle new']),
    ...coming.map(({ name, detail }) => `${name}: ${cleanLine(detail)}`),
  ])
  return EXIT.ok
}

export async function list(context: Context): Promise<number> {
  const client = await context.client()
  const what = context.args[0] ?? 'products'
  if (what === 'products') return status({ ...context, args: [] })
  if (what === 'domains') {
    const { items: domains } = await client.domains()
    context.print({ domains }, (style) => renderDomainTable(domains, style))
  } else if (what === 'subjects') {
    const { items: subjects } = await client.subjects()
    context.print({ subjects }, (style) => renderSubjectTable(subjects, style))
  } else throw fail('CLI_USAGE_INVALID', { what: `"${what}" cannot be listed`, fix: 'One of products, domains, subjects.' })
  return EXIT.ok
}

export async function show(context: Context): Promise<number> {
  const address = await context.product(context.args[0])
  const product = await (await context.client()).product(address)
  context.print(product, (style) => renderProduct(product, style))
  return EXIT.ok
}

export async function whoami(context: Context): Promise<number> {
  const me = await (await context.client()).me()
  context.print(me, (style) => renderMe(me, style))
  return EXIT.ok
}
