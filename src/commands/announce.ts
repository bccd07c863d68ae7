import { ensureCommunity, putEntry, removeEntry } from '../catalog/entries.ts'
import { forgetProduct } from '../catalog/products.ts'
import { applyMonitors, ensureNamespace } from '../observe/monitors.ts'
import type { Command } from '../run/command.ts'
import type { ServiceLevel } from '../spec/types.ts'
import type { CommandDeps } from './deps.ts'

/** Heddle's own catalog and monitors: rows of the control database, converging by their keys. */
export function announceCommands({ control }: CommandDeps): Command[] {
  return [
    {
      name: 'create-namespace',
      async run(_context, args) {
        await ensureNamespace(control.db, args.domain as string)
        return { outcome: `namespace ${args.domain}` }
      },
    },
    {
      name: 'create-community',
      async run(_context, args) {
        await ensureCommunity(control.db, args.domain as string, args.title as string)
        return { outcome: `community ${args.domain}` }
      },
    },
    {
      name: 'draft-entry',
      async run({ run }, args) {
        const { domain, document } = args as { domain: string; document: Record<string, unknown> }
        await putEntry(control.db, { product: run.product.id, community: domain, state: 'draft', document, run: run.id })
        return { outcome: 'draft' }
      },
    },
    {
      name: 'list-entry',
      async run({ run }, args) {
        const { domain, document } = args as { domain: string; document: Record<string, unknown> }
        await ensureCommunity(control.db, domain, domain)
        await putEntry(control.db, { product: run.product.id, community: domain, state: 'listed', document, run: run.id })
        return { outcome: 'listed' }
      },
    },
    {
      name: 'apply-monitors',
      async run({ run }, args) {
        const { environment, domain, levels } = args as {
          environment: string
          domain: string
          levels: { port: string; level: ServiceLevel }[]
        }
        const { kept, removed } = await control.db.transaction().execute(async (transaction) => {
          await ensureNamespace(transaction, domain)
          return applyMonitors(transaction, { product: run.product.id, environment, domain, run: run.id }, levels)
        })
        return { outcome: `${kept} monitors${removed ? `, ${removed} removed` : ''}` }
      },
    },
    {
      name: 'remove-entry',
      async run({ run }) {
        await removeEntry(control.db, run.product.id)
        return { outcome: 'gone' }
      },
    },
    {
      name: 'forget-product',
      async run({ run }) {
        await control.db.transaction().execute((transaction) => forgetProduct(transaction, run.product.id))
        return { outcome: 'the name is free' }
      },
    },
  ]
}
