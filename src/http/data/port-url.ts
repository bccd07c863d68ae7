import type { PortPlace } from '../../platform/warehouse.ts'

/** Where a port is read over HTTP; an object's name is the next part. */
export function portUrl(base: string, { place, port, major }: PortPlace): string {
  return `${base}/data/${place.domain}/${place.product}/${port}/v${major}`
}
