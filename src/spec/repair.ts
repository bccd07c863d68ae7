import type { Diagnostic } from '../core/diagnostic.ts'
import { applyEdits } from './edits.ts'
import { staleFiles } from './generated-files.ts'
import { type Validation, type ValidationRequest, validateProduct } from './validate.ts'

export type Repaired = {
  /** files with another text than before, generated ones among them */
  changed: Record<string, string>
  applied: Diagnostic[]
  /** paths of generated files that were refreshed */
  refreshed: string[]
  /** of what the files are then */
  validation: Validation
}

/** More mistakes than this are not typing errors. */
const ROUND_LIMIT = 200

/**
 * Makes every repair that needs no thought, until there is none left; comments and layout stay. Writes nothing: the caller shows and stores.
 * @param others texts by path of files the spec generates
 */
export function repairProduct(request: ValidationRequest, others: Readonly<Record<string, string>>): Repaired {
  const before = textsOf(request)
  const applied: Diagnostic[] = []
  let texts = before
  let validation = validateProduct(request)
  for (let round = 0; round < ROUND_LIMIT; round++) {
    const made = applyEdits(texts, validation.diagnostics)
    if (made.applied.length === 0) break
    applied.push(...made.applied)
    texts = made.texts
    validation = validateProduct(withTexts(request, texts))
  }
  const refreshed = validation.spec ? staleFiles(validation.spec, { ...request.context.models, ...others }) : {}
  const changed = Object.fromEntries(Object.entries(texts).filter(([path, text]) => before[path] !== text))
  return { changed: { ...changed, ...refreshed }, applied, refreshed: Object.keys(refreshed), validation }
}

function textsOf({ files }: ValidationRequest): Record<string, string> {
  const all = [files.spec, files.deploy].flatMap((file) => (file ? [[file.name, file.text] as const] : []))
  return Object.fromEntries([...all, ...Object.entries(files.contracts)].map(([path, text]) => [path, asText(text)]))
}

function withTexts(request: ValidationRequest, texts: Record<string, string>): ValidationRequest {
  const { spec, deploy, contracts } = request.files
  const renewed = (file: typeof spec) => file && { ...file, text: texts[file.name]! }
  return {
    ...request,
    files: {
      spec: renewed(spec),
      deploy: renewed(deploy),
      contracts: Object.fromEntries(Object.keys(contracts).map((path) => [path, texts[path]!])),
    },
  }
}

function asText(text: string | Uint8Array): string {
  return typeof text === 'string' ? text : new TextDecoder().decode(text)
}
