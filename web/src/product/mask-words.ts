/** What a mask does to a value, for who has never met one. */
export const MASK_WORDS: Record<string, { name: string; means: string }> = {
  hash: {
    name: 'Code',
    means: 'a code stands for the value: equal values have equal codes, so joins work, and nobody can read it back',
  },
  null: { name: 'Empty', means: 'always empty' },
  constant: { name: 'Fixed', means: 'the same fixed text in every row' },
  regex: { name: 'Partly', means: 'a part of the text is replaced' },
  round: { name: 'Rounded', means: 'dates are cut to year or month, numbers to tens or hundreds' },
  year: { name: 'Year', means: 'dates are cut to the year' },
}

export function maskWord(mask: string): { name: string; means: string } {
  return MASK_WORDS[mask] ?? { name: mask, means: 'changed before it is read' }
}
