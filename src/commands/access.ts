import { isHeldByAnother, needAgreement, putEvidence, setAgreementState } from '../access/agreements.ts'
import { findSubject } from '../access/subjects.ts'
import { needDomain } from '../catalog/products.ts'
import { hashOf } from '../core/canonical.ts'
import { fail } from '../core/fail.ts'
import type { PortPlace } from '../platform/warehouse.ts'
import type { Command, CommandContext } from '../run/command.ts'
import { audit } from '../store/audit.ts'
import type { AgreementState } from '../store/schema.ts'
import type { CommandDeps } from './deps.ts'
import { effectOf, leasedWarehouse } from './leased-warehouse.ts'

type AccessArgs = { environment: string; agreement: string; subject: string; at: PortPlace }

/** An agreement becomes a grant and back; each way ends with a log-in as the subject that proves it. */
export function accessCommands(deps: CommandDeps): Command[] {
  return [
    {
      name: 'ensure-login',
      async run(context, args) {
        const { environment, subject } = args as {
          environment: string
          subject: { name: string; domain: string | null; attributes: Record<string, string[]> }
        }
        const warehouse = await leasedWarehouse(deps, context, environment)
        if (subject.domain !== null) await ensureBudget(deps, context, { environment, domain: subject.domain })
        // The attributes of now, not of when it was planned.
        const now = await findSubject(deps.control.db, subject.name)
        const { login } = await warehouse.subject({
          subject: subject.name,
          domain: subject.domain,
          attributes: now?.attributes ?? subject.attributes,
          context: effectOf(context),
        })
        return { login, outcome: login }
      },
    },
    {
      name: 'grant-port',
      async run(context, args) {
        const { environment, subject, at } = args as AccessArgs
        const warehouse = await leasedWarehouse(deps, context, environment)
        await warehouse.grant({ subject, at, context: effectOf(context) })
        return { outcome: 'granted' }
      },
    },
    {
      name: 'revoke-port',
      async run(context, args) {
        const { environment, agreement, subject, at } = args as AccessArgs
        // Grants and revocations of a product take turns, so nobody answers this differently a moment later.
        if (await isHeldByAnother(deps.control.db, await needAgreement(deps.control.db, { id: agreement }))) {
          return { sessionsEnded: 0, kept: true, outcome: 'kept: another agreement gives the same' }
        }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const { sessionsEnded } = await warehouse.revoke({ subject, at, context: effectOf(context) })
        return { sessionsEnded, outcome: `${sessionsEnded} open sessions ended` }
      },
    },
    {
      name: 'prove-access',
      async run(context, args) {
        const { environment, agreement, subject, at, expect, masked } = args as AccessArgs & {
          expect: 'granted' | 'revoked'
          masked: string[]
        }
        if (expect === 'revoked' && context.result<{ kept?: boolean }>('revoke').kept)
          return { outcome: 'nothing was taken away' }
        const warehouse = await leasedWarehouse(deps, context, environment)
        const proofs = await warehouse.prove({ subject, at, expect, masked })
        await putEvidence(deps.control.db, { agreement, run: context.run.id, expect, proofs })
        const wrong = proofs.filter((proof) => !proof.ok)
        for (const proof of proofs) context.log(`${proof.ok ? 'ok' : 'FAIL'} ${proof.what}: ${proof.expected}`)
        if (wrong.length > 0) {
          // A grant that does more or less than agreed is taken back before anyone can use it.
          if (expect === 'granted') await warehouse.revoke({ subject, at, context: effectOf(context) })
          throw fail('ACCESS_PROOF_FAILED', {
            what: `${subject} can do something else than agreed: ${wrong.map((proof) => proof.what).join('; ')}`,
            why: expect === 'granted' ? 'The grant was taken back.' : 'The revocation is not complete.',
          })
        }
        return { outcome: `${proofs.length} of ${proofs.length} proofs held` }
      },
    },
    {
      name: 'settle-agreement',
      async run({ run }, args) {
        const { agreement, to, because } = args as { agreement: string; to: AgreementState; because?: string }
        await deps.control.db.transaction().execute(async (transaction) => {
          await setAgreementState(transaction, agreement, to, because ?? null)
          await audit(transaction, {
            actor: run.by,
            onBehalfOf: null,
            action: `agreement.${to}`,
            object: agreement,
            detail: { run: run.number, because: because ?? null },
          })
        })
        return { outcome: to }
      },
    },
  ]
}

/** A consumer's domain may have no product here yet, and so no budget: its logins would be without its limits. */
async function ensureBudget(
  deps: CommandDeps,
  context: CommandContext,
  { environment, domain }: { environment: string; domain: string },
): Promise<void> {
  const warehouse = await leasedWarehouse(deps, context, environment)
  const { budget } = await needDomain(deps.control.db, domain)
  const id = { domain }
  const found = await warehouse.budget.read({ id })
  if (found.state === 'owned' && hashOf(found.attributes) === hashOf(budget)) return
  await warehouse.budget.reconcile({ id, desired: budget, context: effectOf(context) })
}
