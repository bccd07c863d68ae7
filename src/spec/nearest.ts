/** The candidate people most likely meant (at most a third of the letters wrong), or undefined. */
export function nearest(name: string, candidates: readonly string[]): string | undefined {
  return closest(name, candidates)?.candidate
}

/** The same where no other candidate is as near: what may be written without asking. */
export function onlyNearest(name: string, candidates: readonly string[]): string | undefined {
  const found = closest(name, candidates)
  return found?.tied ? undefined : found?.candidate
}

function closest(
  name: string,
  candidates: readonly string[],
): { candidate: string; distance: number; tied: boolean } | undefined {
  let best: { candidate: string; distance: number; tied: boolean } | undefined
  for (const candidate of candidates.slice(0, 500)) {
    const limit = Math.max(1, Math.floor(Math.max(candidate.length, Math.min(name.length, 64)) / 3))
    const distance = editDistance(name.slice(0, 64).toLowerCase(), candidate.slice(0, 64).toLowerCase())
    if (distance > limit) continue
    if (!best || distance < best.distance) best = { candidate, distance, tied: false }
    else if (distance === best.distance && candidate !== best.candidate) best.tied = true
  }
  return best
}

/** Insertions, deletions, changes and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

/** ` Did you mean "x"?` or nothing, to close a sentence with. */
export function didYouMean(name: string, candidates: readonly string[]): string | undefined {
  const found = nearest(name, candidates)
  return found === undefined ? undefined : `Did you mean ${found}?`
}
