import type { Crumb } from './crumbs.tsx'

/** domain / product / …: the same beginning on every page about one product. */
export function productCrumbs(address: string, ...rest: Crumb[]): Crumb[] {
  const [domain = '', name = ''] = address.split('/')
  return [{ label: domain, to: '/catalog', search: { domain } }, { label: name, to: `/p/${domain}/${name}` }, ...rest]
}
