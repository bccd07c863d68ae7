/** Where a product stands in the catalog. Tombstones of what is retired show only when asked for. */
export const PLACES = ['listed', 'draft', 'delisted'] as const

const WORDS: Record<string, string> = { listed: 'Listed', draft: 'Draft', delisted: 'Retired' }

export function placeWord(place: string): string {
  return WORDS[place] ?? place
}
