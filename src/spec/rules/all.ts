import { contractRules } from './contracts.ts'
import { environmentRules } from './environments.ts'
import { graphRules } from './graph.ts'
import { metadataRules } from './metadata.ts'
import { modelRules } from './models.ts'
import { nameRules } from './names.ts'
import { offerRules } from './offers.ts'
import { protectionRules } from './protection.ts'
import { referenceRules } from './references.ts'
import { roleRules } from './roles.ts'
import type { Rule } from './rule.ts'
import { secretRules } from './secrets.ts'
import { serviceLevelRules } from './service-levels.ts'
import { timeRules } from './times.ts'

/** Everything checked beyond the JSON Schema. */
export const RULES: readonly Rule[] = [
  metadataRules,
  nameRules,
  referenceRules,
  graphRules,
  contractRules,
  modelRules,
  timeRules,
  serviceLevelRules,
  protectionRules,
  roleRules,
  secretRules,
  offerRules,
  environmentRules,
]
