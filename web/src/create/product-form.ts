import type { Domain, Me, NewRequest } from '../api/types.ts'

export type ProductForm = { domain: string; name: string; title: string; purpose: string; owner: string }
export type FormErrors = Partial<Record<keyof ProductForm, string>>

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/

/** What can be known without asking; the rest (is the name free? may I?) the plan says. */
export function checkForm(form: ProductForm): FormErrors {
  const errors: FormErrors = {}
  if (!form.domain) errors.domain = 'Choose the domain the product belongs to.'
  if (!form.name) errors.name = 'Give the product a name.'
  else if (form.name.length > 63) errors.name = `At most 63 characters; this has ${form.name.length}.`
  else if (!NAME.test(form.name)) errors.name = 'Lower-case letters, digits and single hyphens, starting with a letter.'
  return errors
}

/** The domain of this reader: the one asked for, else the first that he or one of his groups owns. */
export function firstDomain(domains: Domain[], me: Me | undefined, asked: string | undefined): Domain | undefined {
  return domains.find((domain) => domain.name === asked) ?? domains.find((domain) => domain.owners.some(isMine(me))) ?? domains[0]
}

/** Who would own a product of a domain: the reader where he may, else the first of its owners. */
export function firstOwner(domain: Domain | undefined, me: Me | undefined): string {
  return domain?.owners.find(isMine(me)) ?? domain?.owners[0] ?? ''
}

function isMine(me: Me | undefined): (owner: string) => boolean {
  const names = new Set([...(me?.groups ?? []), me?.as ?? me?.name ?? ''])
  return (owner) => names.has(owner)
}

export function requestOf(form: ProductForm): Extract<NewRequest, { kind: 'product' }> {
  const { domain, name, title, purpose, owner } = form
  return {
    kind: 'product',
    payload: { domain, name, ...(title && { title }), ...(purpose && { purpose }), ...(owner && { owner }) },
  }
}
