import { createHash } from 'node:crypto'
import { fail } from './fail.ts'

const NAME = /^[a-z]([a-z0-9]|-(?=[a-z0-9])){0,62}$/
/** Room that dbt's suffixes (`__dbt_backup`) and ours (`__build`, `__r123456`) need below PostgreSQL's 63 bytes. */
const BASE_LIMIT = 40

export function isName(text: string): boolean {
  return NAME.test(text)
}

export function checkName(text: string, noun: string): string {
  if (!isName(text)) throw fail('CORE_NAME_INVALID', { what: `${noun} "${text.slice(0, 80)}" is not a valid name` })
  return text
}

/** One SQL name part: `-` becomes `_`; longer than 40 bytes is cut and closed with a hash of the whole. */
export function sqlName(...parts: readonly string[]): string {
  return shorten(parts.map((part) => part.replaceAll('-', '_')).join('_'), BASE_LIMIT, parts.join('/'))
}

function shorten(full: string, limit: number, whole = full): string {
  if (Buffer.byteLength(full) <= limit) return full
  return `${full.slice(0, limit - 9)}_${createHash('sha256').update(whole).digest('hex').slice(0, 8)}`
}

/** Names of everything a product owns in a warehouse; the only place where they are made. */
export type ProductNames = {
  /** staging: sealed batches and the views that pin them for a run */
  private: string
  /** where dbt always builds */
  build: string
  revision(n: number): string
  served(port: string, major: number): string
  /** the served schema of one revision, before it is switched in or after it was switched out */
  servedRevision(port: string, major: number, n: number): string
  role: { consumer: string; service: string; owner: string; keeper: string; prober: string }
  /** NOLOGIN role that may read one port and major */
  portRole(port: string, major: number): string
}

/** @example productNames('prod', 'fleet', 'planes').served('planes', 1) === 'fleet_planes_planes_v1' */
export function productNames(environment: string, domain: string, product: string): ProductNames {
  const base = sqlName(domain, product)
  const served = (port: string, major: number) => `${sqlName(domain, product, port)}_v${major}`
  // room for the longest kind: cutting the end would give two kinds one name
  const roleBase = shorten(`${environment}__${sqlName(domain)}__${sqlName(product)}`, 63 - '__consumer'.length)
  const role = (kind: string) => `${roleBase}__${kind}`
  return {
    private: base,
    build: `${base}__build`,
    revision: (n) => `${base}__r${n}`,
    served,
    servedRevision: (port, major, n) => `${served(port, major)}__r${n}`,
    role: {
      consumer: role('consumer'),
      service: role('service'),
      owner: role('owner'),
      keeper: role('keeper'),
      prober: role('prober'),
    },
    portRole: (port, major) => `${shorten(`${environment}__${served(port, major)}`, 63 - '__read'.length)}__read`,
  }
}

/** NOLOGIN groups of an environment: who may connect, who may make temporary tables, what every keeper may read of schema `heddle`. */
export function environmentGroups(environment: string): { connect: string; job: string; keeper: string } {
  return { connect: `${environment}__connect`, job: `${environment}__job`, keeper: `${environment}__keeper` }
}

/** A subject's own login in an environment. */
export function subjectLogin(environment: string, subject: string): string {
  return `${environment}__u__${sqlName(subject)}`
}

/** The login through which the HTTP data port reads for a subject: a member of the subject's own. */
export function readerLogin(environment: string, subject: string): string {
  return `${environment}__h__${sqlName(subject)}`
}
