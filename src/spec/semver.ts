export type Version = readonly [major: number, minor: number, patch: number]

export function readVersion(text: string): Version | null {
  const found = /^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})$/.exec(text)
  return found ? [Number(found[1]), Number(found[2]), Number(found[3])] : null
}

export function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
}

export function highestVersion(texts: readonly string[]): string | null {
  let best: string | null = null
  for (const text of texts) {
    const version = readVersion(text)
    if (version && (best === null || compareVersions(version, readVersion(best)!) > 0)) best = text
  }
  return best
}

export type Bump = 'none' | 'patch' | 'minor' | 'major'

/** How far `to` is above `from`; `none` also when it is below. Below 1.0.0 a minor bump counts as major, as semver says. */
export function bumpBetween(from: Version, to: Version): Bump {
  if (compareVersions(to, from) <= 0) return 'none'
  if (to[0] > from[0]) return 'major'
  if (to[1] > from[1]) return from[0] === 0 ? 'major' : 'minor'
  return from[0] === 0 ? 'minor' : 'patch'
}

/** `^1.2.0`, `~1.2.0`, `1.2`, `*` */
export function satisfies(version: Version, range: string): boolean {
  if (range === '*') return true
  const found = /^([\^~]?)(\d+)(?:\.(\d+))?(?:\.(\d+))?$/.exec(range)
  if (!found) return false
  const [, operator, major, minor, patch] = found
  const base: Version = [Number(major), Number(minor ?? 0), Number(patch ?? 0)]
  if (compareVersions(version, base) < 0) return false
  if (operator === '^')
    return base[0] > 0 ? version[0] === base[0] : version[0] === 0 && (base[1] > 0 ? version[1] === base[1] : true)
  if (operator === '~') return version[0] === base[0] && (minor === undefined || version[1] === base[1])
  return (
    version[0] === base[0] && (minor === undefined || version[1] === base[1]) && (patch === undefined || version[2] === base[2])
  )
}
