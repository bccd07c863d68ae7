import type { Position } from '../core/diagnostic.ts'
import { type Located, positionAt } from './located.ts'

/** Where each part of a normalised spec was written. */
export type Origins = WeakMap<object, { document: Located; pointer: string }>

/** @param inside pointer below the part, for example `/name` */
export function positionOfPart(
  origins: Origins,
  part: object,
  inside = '',
  which: 'key' | 'value' = 'value',
): Position | undefined {
  const origin = origins.get(part)
  return origin && positionAt(origin.document, origin.pointer + inside, which)
}
