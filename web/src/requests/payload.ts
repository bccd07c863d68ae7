import type { Product, Request } from '../api/types.ts'
import { servingEnvironments } from '../product/environments.ts'

/** A field of a request's payload, which the API leaves open; anything but text reads as absent. */
export function textOf(request: Request, field: string): string | null {
  const value = request.payload[field]
  return typeof value === 'string' && value ? value : null
}

/** "90d" as people read it: "90 d" */
export function spacedDuration(duration: string): string {
  return duration.replace(/^(\d+)([a-z]+)$/, '$1 $2')
}

export type Reading = { clear: string[]; masked: { name: string; mask: string }[]; rows: number | null }

/** What a reader of a port would see, by column, in the environment asked for. */
export function readingOf(product: Product, port: string, environment: string | null): Reading | null {
  const wanted = environment ?? servingEnvironments(product, port).at(-1)
  const served = product.served.find((item) => item.port === port && item.environment === wanted)
  if (!served) return null
  const columns = served.objects.flatMap((object) => object.columns)
  return {
    clear: columns.filter((column) => column.mask === null).map((column) => column.name),
    masked: columns.flatMap((column) => (column.mask === null ? [] : [{ name: column.name, mask: column.mask }])),
    rows: served.objects.reduce<number | null>(
      (sum, object) => (object.rows === null || sum === null ? null : sum + object.rows),
      0,
    ),
  }
}
