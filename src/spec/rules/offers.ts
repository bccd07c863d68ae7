import type { Diagnostic } from '../../core/diagnostic.ts'
import { isAtLeast, isDirectIdentifier, isMasked } from '../sensitivity.ts'
import { componentsOf } from '../view.ts'
import { atPart, errorAt, type Rule, type RuleInput } from './rule.ts'

const LIMITED_DATA_SET = /164\.514\s*\(e\)/
/** 45 CFR 164.514(e)(4): what the recipient of a limited data set must agree to. */
const REQUIRED_OBLIGATIONS = [
  { name: 'safeguards', pattern: /safeguard/ },
  { name: 'report-misuse', pattern: /report/ },
  { name: 'bind-subcontractors', pattern: /subcontract|agents?\b/ },
  { name: 'no-contact-with-individuals', pattern: /contact|identif/ },
]

/** DSA01 sensitive ports have complete terms; DSA02 a limited data set holds no direct identifiers. */
export const offerRules: Rule = {
  ids: ['DSA01', 'DSA02'],
  check(input) {
    const found: Diagnostic[] = []
    for (const port of input.spec.outputs) {
      const sensitive = port.objects
        .flatMap((object) => object.columns)
        .find((column) => isAtLeast(column.classification, 'confidential'))
      if (sensitive && !input.spec.offers.some((offer) => offer.ports.includes(port.name)))
        found.push(
          errorAt('SPEC_OFFER_MISSING', atPart(input, port, '/name'), {
            what: `The port ${port.name} serves ${sensitive.classification} data and no offer selects it`,
            why: 'nobody could be told what they may do with it',
            fix: `Add a policy of type data-sharing-agreement with selector: [${port.name}].`,
          }),
        )
    }
    // A component of an unknown type may be the very port that an offer is about; its type is said already.
    const isTold = componentsOf(input.document).every(({ definition }) => definition !== undefined)
    for (const offer of input.spec.offers) {
      const missing = [
        offer.approvers.first.length === 0 && 'an approver',
        offer.contact === '' && 'a contact',
        offer.purposes.length === 0 && 'a purpose',
        offer.maxMs === 0 && 'a longest duration',
        isTold && offer.ports.length === 0 && 'a port it is about',
      ].filter((one): one is string => one !== false)
      for (const what of missing)
        found.push(
          errorAt('SPEC_OFFER_INCOMPLETE', atPart(input, offer, '/name'), {
            what: `The offer ${offer.name} has no ${what.replace(/^an? /, '')}`,
            fix: `Add ${what}.`,
          }),
        )
      if (LIMITED_DATA_SET.test(offer.terms.legalBasis ?? '')) found.push(...limitedDataSet(input, offer))
    }
    return found
  },
}

function limitedDataSet(input: RuleInput, offer: RuleInput['spec']['offers'][number]): Diagnostic[] {
  const found: Diagnostic[] = []
  for (const port of input.spec.outputs.filter((candidate) => candidate.kind === 'sql' && offer.ports.includes(candidate.name)))
    for (const object of port.objects)
      for (const column of object.columns)
        if (isDirectIdentifier(object.name, column) && !isMasked(port, object.name, column.name))
          found.push(
            errorAt('SPEC_OFFER_IDENTIFYING', atPart(input, column, '/name'), {
              what: `${object.name}.${column.name} is a direct identifier and the offer ${offer.name} claims a limited data set`,
              why: 'under 45 CFR 164.514(e) the direct identifiers must be absent',
              fix: 'Mask the column for consumers, leave it out of the port, or change legalBasis.',
            }),
          )
  for (const { name, pattern } of REQUIRED_OBLIGATIONS)
    if (!offer.obligations.some((obligation) => pattern.test(obligation)))
      found.push(
        errorAt('SPEC_OFFER_INCOMPLETE', atPart(input, offer, '/properties/obligations'), {
          what: `The offer ${offer.name} does not oblige its consumers to ${name}`,
          why: '45 CFR 164.514(e)(4) asks for it',
          fix: `Add ${name} to obligations.`,
        }),
      )
  return found
}
