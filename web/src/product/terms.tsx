/** Terms of an offer: what is a web address in them is a link. */
export function Terms({ terms: told }: { terms: string }) {
  // An offer may name no document, only a version of itself.
  const terms = told.trim().replace(/^(?:null|undefined)?\s*\((.+)\)$/, '$1')
  const found = /https?:\/\/[^\s)]+/.exec(terms)
  if (!found) return terms
  const name = found[0].split('/').filter(Boolean).at(-1) ?? found[0]
  return (
    <>
      {terms.slice(0, found.index)}
      <a href={found[0]} rel="noreferrer" target="_blank">
        {name}
        <span className="sr-only">, opens in a new tab</span>
      </a>
      {terms.slice(found.index + found[0].length)}
    </>
  )
}
