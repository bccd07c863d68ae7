import { putEvidence } from '../access/agreements.ts'
import { expandSubjects, findSubject } from '../access/subjects.ts'
import { needDomain, productById } from '../catalog/products.ts'
import { fail } from '../core/fail.ts'
import type { Place, PortPlace } from '../platform/warehouse.ts'
import type { Command } from '../run/command.ts'
import type { CommandDeps } from './deps.ts'
import { effectOf, leasedWarehouse } from './leased-warehouse.ts'

type ReadingArgs = { environment: string; agreement: string; subject: string; consumer: Place; at: PortPlace }

/** The same as for people, when the consumer is a product: its keeper is granted, and the catalogs are the proof. */
export function productAccessCommands(deps: CommandDeps): Command[] {
  return [
    {
      name: 'grant-product',
      async run(context, args) {
        const { environment, subject, consumer, at } = args as ReadingArgs
        const warehouse = await leasedWarehouse(deps, context, environment)
        const effect = effectOf(context)
        const product = await productById(deps.control.db, consumer.id)
        if (product.state === 'retired')
          throw fail('PRODUCT_RETIRED', { what: `${consumer.domain}/${consumer.product}, which would read it, is retired` })
        // The consumer's first deploy here waits for this grant, so its roles may not stand yet.
        if ((await warehouse.roles.read({ id: consumer })).state === 'absent') {
          const domain = await needDomain(deps.control.db, product.domain)
          const owners = await expandSubjects(deps.control.db, [...domain.owners, product.owner])
          await warehouse.roles.reconcile({ id: consumer, desired: { owners }, context: effect })
        }
        const attributes = (await findSubject(deps.control.db, subject))?.attributes ?? {}
        await warehouse.grantProduct({ consumer, at, attributes, context: effect })
        return { outcome: 'granted' }
      },
    },
    {
      name: 'revoke-product',
      async run(context, args) {
        const { environment, consumer, at } = args as ReadingArgs
        const warehouse = await leasedWarehouse(deps, context, environment)
        const { sessionsEnded } = await warehouse.revokeProduct({ consumer, at, context: effectOf(context) })
        return { sessionsEnded, outcome: `${sessionsEnded} open sessions ended` }
      },
    },
    {
      name: 'prove-product',
      async run(context, args) {
        const { environment, agreement, consumer, at, expect } = args as ReadingArgs & { expect: 'granted' | 'revoked' }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const proofs = await warehouse.proveProduct({ consumer, at, expect })
        await putEvidence(deps.control.db, { agreement, run: context.run.id, expect, proofs })
        for (const proof of proofs) context.log(`${proof.ok ? 'ok' : 'FAIL'} ${proof.what}: ${proof.expected}`)
        const wrong = proofs.filter((proof) => !proof.ok)
        if (wrong.length > 0) {
          if (expect === 'granted') await warehouse.revokeProduct({ consumer, at, context: effectOf(context) })
          throw fail('ACCESS_PROOF_FAILED', {
            what: `${consumer.domain}/${consumer.product} can do something else than agreed: ${wrong.map((proof) => proof.what).join('; ')}`,
            why: expect === 'granted' ? 'The grant was taken back.' : 'The revocation is not complete.',
          })
        }
        return { outcome: `${proofs.length} of ${proofs.length} proofs held` }
      },
    },
  ]
}
