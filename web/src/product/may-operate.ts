import type { Me, Product } from '../api/types.ts'

/** Whether this reader is one of the owners. The server decides again; this only keeps a button from promising what it cannot do. */
export function mayOperate(product: Pick<Product, 'roles'>, me: Me | undefined): boolean {
  if (!me) return false
  const names = new Set([me.as ?? me.name, ...me.groups])
  return ownersOf(product).some((owner) => names.has(owner))
}

export function ownersOf(product: Pick<Product, 'roles'>): string[] {
  return product.roles.find((role) => role.role === 'owner')?.subjects ?? []
}
