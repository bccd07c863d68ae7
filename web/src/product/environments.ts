import type { Product } from '../api/types.ts'

/** Environments that serve something, in promotion order; the last one is where consumers read. */
export function servingEnvironments(product: Product, port?: string): string[] {
  const serving = new Set(
    product.served.filter((served) => port === undefined || served.port === port).map((served) => served.environment),
  )
  return product.environments.map((environment) => environment.name).filter((name) => serving.has(name))
}
