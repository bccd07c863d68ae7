import { type Alias, isAlias, isMap, isScalar, isSeq, type Node, parseDocument, type Scalar } from 'yaml'
import type { Diagnostic } from '../core/diagnostic.ts'
import { type Located, makeSource, type Place, pointerOf, positionOf, type Source } from './located.ts'
import { excessive, LIMITS, scanText, unsupported } from './pre-scan.ts'

export type ReadResult = { document: Located | null; diagnostics: Diagnostic[] }

const NODE_LIMIT = 30_000
const CORE_TAGS = new Set(['str', 'int', 'float', 'bool', 'null', 'map', 'seq'].map((tag) => `tag:yaml.org,2002:${tag}`))
const REFUSED_KEYS = new Set(['__proto__', 'constructor', 'prototype'])
/** Plain scalars that YAML 1.1 readers (PyYAML, Ruby, older Go) take for something else than YAML 1.2 does. */
const OLD_BOOLEAN = /^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$/
const OLD_NUMBER = /^(?:[-+]?0[0-7_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+|[0-9]+_[0-9_]*)$/
const OLD_DATE = /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ].*)?$/

/**
 * Reads hostile YAML 1.2 into plain data with positions. Never throws; `document` is null when there is nothing to go on with.
 * Run it in a thread that can be killed when the text comes from outside (validate-in-worker.ts).
 */
export function readYaml(file: string, input: string | Uint8Array): ReadResult {
  const bytes = typeof input === 'string' ? Buffer.byteLength(input) : input.byteLength
  const none = makeSource(file, '')
  if (bytes > LIMITS.bytes)
    return refusal({
      ...excessive(none, 0, `${Math.ceil(bytes / 1024)} kB`, `${LIMITS.bytes / 1024} kB`),
      code: 'SPEC_FILE_TOO_LARGE',
      fix: 'Move documentation and data out of the spec.',
    })
  const text = typeof input === 'string' ? input : decode(input)
  if (text === null)
    return refusal({
      severity: 'error',
      code: 'SPEC_FILE_UNREADABLE',
      what: 'The file is not valid UTF-8',
      fix: 'Save the file as UTF-8.',
      at: positionOf(makeSource(file, Buffer.from(input).toString('latin1')), firstInvalid(input as Uint8Array)),
    })
  const source = makeSource(file, text)
  const refused = scanText(source)
  if (refused.length > 0) return { document: null, diagnostics: refused }
  return parse(source)
}

function parse(source: Source): ReadResult {
  const diagnostics: Diagnostic[] = []
  // uniqueKeys compares every key with every other; the walk below finds duplicates with one set per map instead.
  const parsed = parseDocument(source.text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'error',
  })
  for (const error of parsed.errors.slice(0, 20))
    diagnostics.push({
      severity: 'error',
      code: error.code === 'MULTIPLE_DOCS' ? 'SPEC_YAML_UNSUPPORTED' : 'SPEC_YAML_INVALID',
      what: sentence(error.message),
      fix: error.code === 'TAB_AS_INDENT' ? 'Indent with spaces.' : 'Correct the YAML here; the line before is often the cause.',
      at: positionOf(source, error.pos),
    })
  if (diagnostics.length > 0) return { document: null, diagnostics }
  const places = new Map<string, Place>()
  const walk: Walk = { source, places, diagnostics, anchors: new Map(), active: new Set(), nodes: 0, full: false }
  const value = toPlain(walk, parsed.contents, '', null)
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    if (diagnostics.length === 0)
      diagnostics.push({
        severity: 'error',
        code: 'SPEC_YAML_INVALID',
        what: parsed.contents === null ? 'The file is empty' : 'The file is not a map of keys and values',
        fix: 'Start with apiVersion: and kind:.',
        at: { file: source.file, line: 1, column: 1 },
      })
    return { document: null, diagnostics }
  }
  return { document: { source, value, places }, diagnostics }
}

type Walk = {
  source: Source
  places: Map<string, Place>
  diagnostics: Diagnostic[]
  anchors: Map<string, Node>
  active: Set<Node>
  nodes: number
  full: boolean
}

function toPlain(walk: Walk, node: unknown, pointer: string, key: [number, number] | null): unknown {
  const { source, diagnostics } = walk
  if (++walk.nodes > NODE_LIMIT) {
    if (!walk.full) diagnostics.push(excessive(source, 0, 'too many values once aliases are written out', `${NODE_LIMIT}`))
    walk.full = true
    return null
  }
  if (!isNode(node)) {
    const at = key ?? [0, 0]
    walk.places.set(pointer, { source, key, value: [at[1], at[1]] })
    return null
  }
  const span = spanOf(node)
  walk.places.set(pointer, { source, key, value: span })
  if (isAlias(node)) return followAlias(walk, node, pointer, key)
  if (node.tag && !CORE_TAGS.has(node.tag)) {
    diagnostics.push(unsupported(source, span[0], span[1], `The tag ${node.tag.slice(0, 40)}`))
    return null
  }
  if ('anchor' in node && node.anchor) {
    const known = walk.anchors.get(node.anchor)
    if (known && known !== node)
      warn(walk, span, `The anchor &${node.anchor.slice(0, 40)} is set twice`, 'Give each anchor its own name.')
    walk.anchors.set(node.anchor, node)
  }
  if (isScalar(node)) return scalarValue(walk, node, span)
  walk.active.add(node)
  const result = isMap(node)
    ? mapValue(walk, node, pointer)
    : isSeq(node)
      ? node.items.map((item, i) => toPlain(walk, item, `${pointer}/${i}`, null))
      : null
  walk.active.delete(node)
  return result
}

function mapValue(walk: Walk, node: { items: { key: unknown; value: unknown }[] }, pointer: string): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  for (const pair of node.items) {
    const keyNode = pair.key
    if (!isScalar(keyNode) || keyNode.tag || (keyNode.value !== null && typeof keyNode.value === 'object')) {
      const span = isNode(keyNode) ? spanOf(keyNode) : ([0, 0] as [number, number])
      walk.diagnostics.push(unsupported(walk.source, span[0], span[1], 'A key that is not plain text'))
      continue
    }
    const span = spanOf(keyNode)
    const name = keyNode.type === 'PLAIN' ? (keyNode.source ?? String(keyNode.value)) : String(keyNode.value)
    if (name === '<<' || REFUSED_KEYS.has(name)) {
      walk.diagnostics.push(unsupported(walk.source, span[0], span[1], name === '<<' ? 'A merge key (<<)' : `The key ${name}`))
      continue
    }
    if (Object.hasOwn(result, name)) {
      walk.diagnostics.push({
        severity: 'error',
        code: 'SPEC_KEY_DUPLICATE',
        what: `The key ${name.slice(0, 60)} is set twice in one map`,
        why: 'one of the two would silently be ignored',
        fix: 'Keep one of them.',
        at: positionOf(walk.source, span),
      })
      continue
    }
    if (keyNode.type === 'PLAIN' && OLD_BOOLEAN.test(name))
      warnQuoted(walk, span, name, `The key ${name} is true or false to YAML 1.1 readers`, `Write "${name}".`)
    result[name] = toPlain(walk, pair.value, pointer + pointerOf([name]), span)
  }
  return result
}

function scalarValue(walk: Walk, node: Scalar, span: [number, number]): unknown {
  if (typeof node.value === 'number' && !Number.isFinite(node.value)) {
    walk.diagnostics.push(unsupported(walk.source, span[0], span[1], 'A number that is not finite'))
    return null
  }
  const written = node.type === 'PLAIN' ? (node.source ?? '') : ''
  const quoted = `Write "${written.slice(0, 40)}".`
  if (OLD_BOOLEAN.test(written))
    warnQuoted(
      walk,
      span,
      written,
      `${written} is a text here and a boolean to YAML 1.1 readers`,
      `Write "${written}", or true or false.`,
    )
  else if (OLD_NUMBER.test(written)) warn(walk, span, `${written.slice(0, 40)} is another number to YAML 1.1 readers`, quoted)
  else if (OLD_DATE.test(written))
    warnQuoted(walk, span, written, `${written.slice(0, 40)} is a text here and a date to YAML 1.1 readers`, quoted)
  return node.value
}

function followAlias(walk: Walk, node: Alias, pointer: string, key: [number, number] | null): unknown {
  const target = walk.anchors.get(node.source)
  const span = spanOf(node)
  if (!target || walk.active.has(target)) {
    const what = target
      ? `The alias *${node.source.slice(0, 40)} contains itself`
      : `The alias *${node.source.slice(0, 40)} has no anchor above it`
    walk.diagnostics.push({
      severity: 'error',
      code: 'SPEC_YAML_INVALID',
      what,
      fix: 'Write the value out.',
      at: positionOf(walk.source, span),
    })
    return null
  }
  const value = toPlain(walk, target, pointer, key)
  walk.places.set(pointer, { source: walk.source, key, value: span })
  return value
}

function isNode(value: unknown): value is Node {
  return value !== null && typeof value === 'object' && 'range' in value
}

function spanOf(node: Node): [number, number] {
  return node.range ? [node.range[0], node.range[1]] : [0, 0]
}

/** Here it is a text already, so quotes change nothing for us and everything for the others. */
function warnQuoted(walk: Walk, span: [number, number], written: string, what: string, fix: string): void {
  warn(walk, span, what, fix)
  const warning = walk.diagnostics.at(-1)!
  if (!/["\\\n]/.test(written)) warning.edits = [{ at: positionOf(walk.source, span), text: `"${written}"` }]
}

function warn(walk: Walk, span: [number, number], what: string, fix: string): void {
  walk.diagnostics.push({ severity: 'warning', code: 'SPEC_YAML_AMBIGUOUS', what, fix, at: positionOf(walk.source, span) })
}

function sentence(message: string): string {
  return (message.split('\n')[0] ?? '').slice(0, 200)
}

function refusal(diagnostic: Diagnostic): ReadResult {
  return { document: null, diagnostics: [diagnostic] }
}

function decode(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return null
  }
}

/** Offset of the first byte that is no UTF-8, found by halving. */
function firstInvalid(bytes: Uint8Array): [number, number] {
  let good = 0
  let bad = bytes.byteLength
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (isValidPrefix(bytes.subarray(0, middle))) good = middle
    else bad = middle
  }
  return [good, good + 1]
}

function isValidPrefix(bytes: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true })
    return true
  } catch {
    return false
  }
}
