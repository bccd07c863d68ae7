/** How many letters must change, appear, go or swap with their neighbour to make one text of the other. */
export function distance(a: string, b: string): number {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      next.push(cost)
    }
    before = row
    row = next
  }
  return row[b.length]!
}

/** Addresses whose name, domain or whole is like what was asked: at most a third of the letters wrong, the nearest first. */
export function nearest(q: string, addresses: readonly string[]): string[] {
  const wanted = q.trim().toLowerCase()
  return addresses
    .map((address) => ({ address, far: Math.min(...[address, ...address.split('/')].map((name) => distance(wanted, name))) }))
    .filter(({ far }) => far <= Math.max(1, Math.floor(wanted.length / 3)))
    .toSorted((a, b) => a.far - b.far || a.address.localeCompare(b.address))
    .map(({ address }) => address)
    .slice(0, 5)
}

/** Parts of a mistyped word that its right spelling may still hold. */
export function probes(q: string): string[] {
  const word =
    q
      .trim()
      .split(/[\s/.]+/)
      .toSorted((a, b) => b.length - a.length)[0] ?? ''
  const parts = [word.slice(0, Math.ceil(word.length * 0.6)), word.slice(0, 3), word.slice(-4)]
  return [...new Set(parts.filter((part) => part.length >= 2 && part !== q.trim()))]
}
