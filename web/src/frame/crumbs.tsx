import { createContext, use, useEffect } from 'react'

export type Crumb = { label: string; to?: string; search?: Record<string, string> }

export const CrumbsContext = createContext<(crumbs: Crumb[]) => void>(() => {})

/** The page names its place; the top bar shows it. */
export function useCrumbs(crumbs: Crumb[]): void {
  const show = use(CrumbsContext)
  const key = JSON.stringify(crumbs)
  useEffect(() => show(JSON.parse(key) as Crumb[]), [show, key])
}
