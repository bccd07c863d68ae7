import { stringify } from 'yaml'
import { environmentPolicies } from './deploy-file.ts'
import { expandSpec } from './expand.ts'
import type { Located } from './located.ts'
import { forEnvironment } from './overrides.ts'
import { readYaml } from './read-yaml.ts'
import type { ValidationRequest } from './validate.ts'

/**
 * The spec in its long form, as YAML: overrides of the environment merged, short forms and defaults written out. Null when the file cannot be read
 * (validateProduct says why).
 */
export function explainExpanded({ files, context, environment }: ValidationRequest): string | null {
  const document = files.spec && readYaml(files.spec.name, files.spec.text).document
  if (!document) return null
  const deploy = files.deploy && readYaml(files.deploy.name, files.deploy.text).document
  const merged =
    deploy && environment !== null ? forEnvironment(document, { policies: environmentPolicies(deploy, environment) }) : document
  const contracts = new Map<string, Located>()
  for (const [path, text] of Object.entries(files.contracts)) {
    const contract = readYaml(path, text).document
    if (contract) contracts.set(path, contract)
  }
  return stringify(expandSpec(merged, contracts, context).value, { lineWidth: 120, aliasDuplicateObjects: false })
}
