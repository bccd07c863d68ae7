/** What of a lineage picture is in its address, so that it can be shared and Back works. */
export type LineageSearch = {
  of?: string | undefined
  level?: 'object' | 'column' | undefined
  view?: 'list' | undefined
  /** sides opened beside the first hop: `up:<address>` and `down:<address>`, commas between */
  open?: string | undefined
  /** nodes taken out of a group, commas between */
  pick?: string | undefined
  /** words a node's address must hold */
  only?: string | undefined
}

export function readLineageSearch(search: Record<string, unknown>): LineageSearch {
  const text = (value: unknown) => (typeof value === 'string' && value ? value : undefined)
  return {
    of: text(search.of),
    level: search.level === 'object' || search.level === 'column' ? search.level : undefined,
    view: search.view === 'list' ? 'list' : undefined,
    open: text(search.open),
    pick: text(search.pick),
    only: text(search.only),
  }
}
