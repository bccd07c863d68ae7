import type { IsolationRung, NodeStatus, TransformationEvent } from '../../platform/transformation.ts'
import { redact } from './redact.ts'

/** What a forked job says, one JSON object a line. It runs a product's code, so nothing of it is trusted beyond its own run. */
export type RawEvent =
  | { event: 'hello'; key: string; token: string }
  | { event: 'started'; isolation: IsolationRung }
  | { event: 'parsed'; nodes: number }
  | { event: 'alive'; cpu: number; statements: number }
  | { event: 'log'; level: 'info' | 'warn' | 'error'; text: string }
  | { event: 'node-started'; node: string; resource: string; name: string; index: number; total: number; at: number }
  | RawNodeFinished
  | RawDone

export type RawNodeFinished = {
  event: 'node-finished'
  node: string
  resource: string
  name: string
  status: string
  seconds: number
  rows: number | null
  failures: number | null
  message: string | null
  file: string | null
  line: number | null
  column: number | null
  at: number
}

export type RawDone = { event: 'done'; success: boolean; parsed: boolean; exception: RawException | null }
export type RawException = { type: string; message: string; file: string | null; line: number | null; column: number | null }

type Check = (value: unknown) => boolean
const text: Check = (value) => typeof value === 'string'
const number: Check = (value) => Number.isFinite(value)
const flag: Check = (value) => typeof value === 'boolean'
const or =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

const SHAPES: Record<RawEvent['event'], Record<string, Check>> = {
  hello: { key: text, token: text },
  started: { isolation: (value) => value === 'own-uid' || value === 'landlock' || value === 'process' },
  parsed: { nodes: number },
  alive: { cpu: number, statements: number },
  log: { level: (value) => value === 'info' || value === 'warn' || value === 'error', text },
  'node-started': { node: text, resource: text, name: text, index: number, total: number, at: number },
  'node-finished': {
    node: text,
    resource: text,
    name: text,
    status: text,
    seconds: number,
    rows: or(number),
    failures: or(number),
    message: or(text),
    file: or(text),
    line: or(number),
    column: or(number),
    at: number,
  },
  done: { success: flag, parsed: flag, exception: or(isException) },
}

function isException(value: unknown): boolean {
  const shape = { type: text, message: text, file: or(text), line: or(number), column: or(number) }
  return (
    typeof value === 'object' && Object.entries(shape).every(([name, check]) => check((value as Record<string, unknown>)[name]))
  )
}

/** null for anything that is not one of our events. */
export function parseRawEvent(line: string): RawEvent | null {
  try {
    const value = JSON.parse(line) as Record<string, unknown> | null
    const shape =
      value && typeof value['event'] === 'string' && Object.hasOwn(SHAPES, value['event'])
        ? SHAPES[value['event'] as RawEvent['event']]
        : null
    if (!value || !shape) return null
    return Object.entries(shape).every(([name, check]) => check(value[name])) ? (value as RawEvent) : null
  } catch {
    return null
  }
}

const STATUSES: Record<string, NodeStatus> = {
  success: 'success',
  error: 'error',
  'runtime error': 'error',
  skipped: 'skipped',
  'partial success': 'error',
  pass: 'pass',
  fail: 'fail',
  warn: 'warn',
}
const RESOURCES = { model: 'model', seed: 'seed', snapshot: 'snapshot', test: 'test', unit_test: 'test' } as const
const MAX_TEXT = 8_000

export const nodeStatus = (raw: string): NodeStatus => STATUSES[raw] ?? 'error'

/** What others see of an event, with row values cut; null for those of no interest outside. */
export function toTransformationEvent(raw: RawEvent, pid: number): TransformationEvent | null {
  switch (raw.event) {
    case 'started':
      return { kind: 'started', pid, isolation: raw.isolation }
    case 'log':
      return { kind: 'log', level: raw.level, text: shorten(redact(raw.text, raw.level === 'error' ? 'database' : 'code')) }
    case 'node-started': {
      const resource = RESOURCES[raw.resource as keyof typeof RESOURCES] ?? 'operation'
      return {
        kind: 'node-started',
        node: raw.node,
        resource,
        name: raw.name,
        index: raw.index,
        total: raw.total,
        at: toIso(raw.at),
      }
    }
    case 'node-finished':
      return {
        kind: 'node-finished',
        node: raw.node,
        name: raw.name,
        status: nodeStatus(raw.status),
        seconds: Math.round(raw.seconds * 1000) / 1000,
        rows: raw.rows,
        failures: raw.failures,
        message: raw.message === null ? null : shorten(redactNode(raw.message)),
        file: raw.file,
        at: toIso(raw.at),
      }
    default:
      return null
  }
}

/** Only what dbt says before any statement may quote; anything else could come from the database. */
export function redactNode(message: string): string {
  // Where dbt keeps its own copy says nothing to the author.
  const text = message.replace(/\n\s*compiled code at [^\n]*/g, '')
  return redact(text, /^\s*(Compilation|Parsing) Error\b/.test(text) ? 'code' : 'database')
}

export const shorten = (value: string): string => (value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}… (cut)` : value)

function toIso(seconds: number): string {
  return new Date(Math.min(Math.max(seconds, 0), 8e12) * 1000).toISOString()
}
