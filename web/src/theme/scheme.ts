export type SchemeChoice = 'system' | 'light' | 'dark'

const KEY = 'heddle-scheme'

/** The reader's choice, kept in this browser; everything else means "as the system". */
export function readScheme(): SchemeChoice {
  const kept = localStorage.getItem(KEY)
  return kept === 'light' || kept === 'dark' ? kept : 'system'
}

/** Puts a choice on the page, before the first paint and at each change. */
export function applyScheme(choice: SchemeChoice): void {
  if (choice === 'system') localStorage.removeItem(KEY)
  else localStorage.setItem(KEY, choice)
  document.documentElement.dataset.mantineColorScheme = choice === 'system' ? (systemIsDark().matches ? 'dark' : 'light') : choice
}

/** Follows the system for as long as the page lives; a fixed choice stays. */
export function followSystem(): void {
  systemIsDark().addEventListener('change', () => {
    if (readScheme() === 'system') applyScheme('system')
  })
}

function systemIsDark(): MediaQueryList {
  return matchMedia('(prefers-color-scheme: dark)')
}
