const KEY = 'heddle-as'

/** The sample user this tab looks as; null is the signed-in user. */
export function actingAs(): string | null {
  return sessionStorage.getItem(KEY)
}

export function actAs(name: string | null): void {
  if (name) sessionStorage.setItem(KEY, name)
  else sessionStorage.removeItem(KEY)
}
