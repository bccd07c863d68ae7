import type { Diagnostic } from '../core/diagnostic.ts'
import { checkSchema } from './check-schema.ts'
import { environmentPolicies, normaliseDeploy } from './deploy-file.ts'
import { expandSpec } from './expand.ts'
import { type Located, valueAt } from './located.ts'
import { normaliseSpec } from './normalise.ts'
import type { Origins } from './origins.ts'
import { forEnvironment } from './overrides.ts'
import { record } from './plain.ts'
import { readYaml } from './read-yaml.ts'
import { RULES } from './rules/all.ts'
import type { RuleContext } from './rules/rule.ts'
import type { DeployFile, ProductSpec } from './types.ts'
import { componentsOf } from './view.ts'

export type SpecFile = { name: string; text: string | Uint8Array }
/** `environments` and `sources` are null where the platform is not asked (offline): they are then not checked. */
export type ValidationContext = RuleContext

export type ValidationRequest = {
  files: { spec: SpecFile | null; deploy: SpecFile | null; contracts: Record<string, string | Uint8Array> }
  context: ValidationContext
  /** whose overrides the result has; null: none. Diagnostics always cover every environment of the deploy file. */
  environment: string | null
}

export type Validation = { spec: ProductSpec | null; deploy: DeployFile | null; diagnostics: Diagnostic[] }

/**
 * Checks both files and returns all problems, in order of position, with the normalised result when there are no errors. Never throws on bad input.
 * The text is parsed on the calling thread: for text from outside use validate-in-worker.ts.
 */
export function validateProduct(request: ValidationRequest): Validation {
  const { files, context } = request
  const diagnostics: Diagnostic[] = []
  const document = readFile(files.spec, 'data_product_spec.yml', 'spec', diagnostics)
  const deploy = readFile(files.deploy, 'data_product_deploy.yml', 'deploy', diagnostics)
  const contracts = new Map<string, Located>()
  for (const path of document ? contractRefs(document) : []) {
    const text = Object.hasOwn(files.contracts, path) ? files.contracts[path] : undefined
    if (text === undefined) continue
    const contract = readFile({ name: path, text }, path, 'contract', diagnostics)
    if (contract) contracts.set(path, contract)
  }
  let spec: ProductSpec | null = null
  if (document) {
    const schema = checkSchema(document, 'spec')
    const rules: Diagnostic[] = []
    const named = deploy ? Object.keys(record(valueAt(deploy, ['environments']))) : []
    for (const environment of new Set([null, ...named, request.environment])) {
      const merged = mergedFor(document, deploy, environment)
      if (merged === document && spec) continue
      if (merged !== document) schema.push(...checkSchema(merged, 'spec'))
      const applied = applyRules(merged, { deploy, contracts, context })
      rules.push(...applied.diagnostics)
      if (environment === null || environment === request.environment) spec = applied.spec
    }
    // A value of the wrong form is reported once, by the schema.
    const places = new Set(schema.map(placeOf))
    diagnostics.push(...schema, ...rules.filter((diagnostic) => !places.has(placeOf(diagnostic))))
  }
  const sorted = tidy(diagnostics)
  const failed = sorted.some((diagnostic) => diagnostic.severity === 'error')
  return { spec: failed ? null : spec, deploy: failed || !deploy ? null : normaliseDeploy(deploy), diagnostics: sorted }
}

type Surroundings = { deploy: Located | null; contracts: Map<string, Located>; context: ValidationContext }

function applyRules(
  document: Located,
  { deploy, contracts, context }: Surroundings,
): { spec: ProductSpec; diagnostics: Diagnostic[] } {
  const origins: Origins = new WeakMap()
  const expanded = expandSpec(document, contracts, context)
  const spec = normaliseSpec(expanded, contracts, origins)
  const input = { document, expanded, spec, origins, deploy, contracts, context }
  return { spec, diagnostics: RULES.flatMap((rule) => rule.check(input)) }
}

function mergedFor(document: Located, deploy: Located | null, environment: string | null): Located {
  if (environment === null || !deploy) return document
  return forEnvironment(document, { policies: environmentPolicies(deploy, environment) })
}

function readFile(
  file: SpecFile | null,
  name: string,
  kind: 'spec' | 'deploy' | 'contract',
  diagnostics: Diagnostic[],
): Located | null {
  if (!file) {
    diagnostics.push({
      severity: 'error',
      code: 'SPEC_FILE_MISSING',
      what: `The repository has no ${name}`,
      why: 'it says what the product is and how it is deployed',
      fix: `Add ${name} to the top folder.`,
      at: { file: name, line: 1, column: 1 },
    })
    return null
  }
  const read = readYaml(file.name, file.text)
  diagnostics.push(...read.diagnostics)
  if (read.document && kind !== 'spec') diagnostics.push(...checkSchema(read.document, kind))
  return read.document
}

function contractRefs(document: Located): string[] {
  const refs = componentsOf(document).flatMap(({ properties }) =>
    typeof properties.contractRef === 'string' ? [properties.contractRef] : [],
  )
  return [...new Set(refs)].slice(0, 100)
}

/** Each problem once, in the order of the text, spec first. */
function tidy(diagnostics: Diagnostic[]): Diagnostic[] {
  const seen = new Set<string>()
  const once = diagnostics
    .filter((diagnostic) => {
      const key = `${placeOf(diagnostic)} ${diagnostic.code} ${diagnostic.what}`
      return seen.has(key) ? false : seen.add(key)
    })
    .map((diagnostic) => (diagnostic.edits ? { ...diagnostic, fix: `${diagnostic.fix} (heddle validate --fix)` } : diagnostic))
  const files = [...new Set(once.map((diagnostic) => diagnostic.at?.file ?? ''))]
  return once.sort(
    (a, b) =>
      files.indexOf(a.at?.file ?? '') - files.indexOf(b.at?.file ?? '') ||
      (a.at?.line ?? 0) - (b.at?.line ?? 0) ||
      (a.at?.column ?? 0) - (b.at?.column ?? 0) ||
      (a.severity === b.severity ? 0 : a.severity === 'error' ? -1 : 1),
  )
}

function placeOf({ at }: Diagnostic): string {
  return at ? `${at.file}:${at.line}:${at.column}` : ''
}
