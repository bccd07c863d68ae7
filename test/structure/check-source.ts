import ts from 'typescript'
import { LAYERS, LONG_TABLES, PURE, PURE_EXCEPTIONS } from './layers.ts'

/** One source file: `path` relative to src/, with forward slashes. */
export type SourceFile = { path: string; text: string }
export type Finding = { path: string; rule: string; detail: string }
type Import = { to: string; typeOnly: boolean; dynamic: boolean; names: string[] }

/** Every rule over every file. Pure, so that a fixture can prove that each rule fails when it should. */
export function checkSource(files: readonly SourceFile[]): Finding[] {
  const known = new Set(files.map((file) => file.path))
  const imports = new Map(files.map((file) => [file.path, readImports(file)]))
  return [
    ...files.flatMap((file) => [
      ...checkDirection(file.path, imports.get(file.path)!, known),
      ...checkPurity(file),
      ...checkStyle(file),
    ]),
    ...findCycles(imports, known),
  ]
}

function readImports({ path, text }: SourceFile): Import[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true)
  const found: Import[] = []
  const add = (to: string, typeOnly: boolean, dynamic: boolean, names: string[] = []) =>
    found.push({ to, typeOnly, dynamic, names })
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const named = node.importClause?.namedBindings
      const elements = named && ts.isNamedImports(named) ? named.elements : []
      const allTypes =
        node.importClause?.isTypeOnly === true ||
        (elements.length > 0 && !node.importClause?.name && elements.every((element) => element.isTypeOnly))
      add(
        node.moduleSpecifier.text,
        allTypes,
        false,
        elements.map((element) => element.name.text),
      )
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) {
      add(node.moduleSpecifier.text, node.isTypeOnly, false)
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments
      if (argument && ts.isStringLiteral(argument)) add(argument.text, false, true)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

export function resolveImport(from: string, to: string): string | null {
  if (!to.startsWith('.')) return null
  const parts = from.split('/').slice(0, -1)
  for (const part of to.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

const folderOf = (path: string) => (path.includes('/') ? path.split('/')[0]! : '')
const adapterOf = (path: string) => (path.startsWith('adapters/') ? path.split('/')[1]! : null)

function checkDirection(path: string, imports: readonly Import[], known: ReadonlySet<string>): Finding[] {
  const folder = folderOf(path)
  const layer = LAYERS[folder]
  if (layer === undefined) return [{ path, rule: 'layer', detail: `folder ${folder} is not in the table` }]
  return imports.flatMap((each): Finding[] => {
    const target = resolveImport(path, each.to)
    if (target === null) return []
    if (!known.has(target)) return [{ path, rule: 'layer', detail: `imports ${target}, which is not in src` }]
    const other = folderOf(target)
    if (folder === 'client' && other === 'http' && target !== 'http/schemas.ts')
      return [{ path, rule: 'layer', detail: `sees ${target}; of http it may see schemas.ts` }]
    if (folder === 'cli' && !['cli', 'client', 'core', 'spec'].includes(other))
      return [{ path, rule: 'layer', detail: `imports ${target}; cli uses client, spec and core` }]
    if (adapterOf(path) !== null && adapterOf(target) !== null && adapterOf(path) !== adapterOf(target))
      return [{ path, rule: 'layer', detail: `adapter imports another adapter: ${target}` }]
    if (other === 'adapters' && folder !== 'adapters' && path !== 'compose.ts')
      return [{ path, rule: 'layer', detail: `names the adapter ${target}; only compose.ts does` }]
    if (other !== folder && LAYERS[other]! >= layer)
      return [{ path, rule: 'layer', detail: `layer ${layer} imports ${target} of layer ${LAYERS[other]}` }]
    return []
  })
}

const IMPURE = /\bprocess\.env\b|\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|(?<![.\w])fetch\(/

function checkPurity({ path, text }: SourceFile): Finding[] {
  if (/\bprocess\.env\b|\{ env \} = process/.test(text) && path !== 'main.ts' && !PURE.includes(folderOf(path)))
    return [{ path, rule: 'environment', detail: 'reads process.env; only main.ts does' }]
  if (!PURE.includes(folderOf(path)) || PURE_EXCEPTIONS.includes(path)) return []
  const found = IMPURE.exec(stripComments(text))
  return found ? [{ path, rule: 'pure', detail: `uses ${found[0]}` }] : []
}

const BAD_NAME = /(^|[/-])(utils?|helpers?|common|misc|manager|shared|index)(\.|-|\/)/

function checkStyle({ path, text }: SourceFile): Finding[] {
  const code = stripComments(text)
  const findings: Finding[] = []
  if (BAD_NAME.test(path)) findings.push({ path, rule: 'name', detail: 'says nothing about its content' })
  if (!path.startsWith('core/') && /\bthrow new Error\(/.test(code))
    findings.push({ path, rule: 'error', detail: 'throws a plain Error; use fail()' })
  if (path !== 'core/fail.ts' && /^\s*(export )?(abstract )?class \w/m.test(code))
    findings.push({ path, rule: 'class', detail: 'declares a class' })
  if (/^export \* from/m.test(code)) findings.push({ path, rule: 'barrel', detail: 're-exports a whole file' })
  if (text.split('\n').length > 500 && !LONG_TABLES.includes(path))
    findings.push({ path, rule: 'size', detail: `${text.split('\n').length} lines` })
  return findings
}

function stripComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}

function findCycles(imports: ReadonlyMap<string, readonly Import[]>, known: ReadonlySet<string>): Finding[] {
  const state = new Map<string, 'open' | 'done'>()
  const findings: Finding[] = []
  const visit = (path: string, trail: string[]): void => {
    if (state.get(path) === 'done') return
    if (state.get(path) === 'open') {
      findings.push({ path, rule: 'cycle', detail: [...trail.slice(trail.indexOf(path)), path].join(' → ') })
      return
    }
    state.set(path, 'open')
    for (const each of imports.get(path) ?? []) {
      const target = each.typeOnly || each.dynamic ? null : resolveImport(path, each.to)
      if (target !== null && known.has(target)) visit(target, [...trail, path])
    }
    state.set(path, 'done')
  }
  for (const path of imports.keys()) visit(path, [])
  return findings
}
