import { BlockList, isIP } from 'node:net'

/** Addresses of this machine, of private networks and of no machine: a receiver there must be allowed by name. */
const INSIDE_4 = new BlockList()
// a list of its own: one list would take every IPv4 address for the IPv6 range that holds them
const INSIDE_6 = new BlockList()
for (const [address, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  INSIDE_4.addSubnet(address, prefix, 'ipv4')
for (const [address, prefix] of [
  ['::', 96],
  // an IPv4 address written as IPv6, or reached through a translator
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 23],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const)
  INSIDE_6.addSubnet(address, prefix, 'ipv6')

/** Is this an address that only the public internet has? */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !INSIDE_4.check(address, 'ipv4')
  return family === 6 && !INSIDE_6.check(address, 'ipv6')
}

/** `host` or `host:number` of mesh.yml. */
export function isAllowedHost(url: URL, allow: readonly string[]): boolean {
  return allow.includes(url.hostname) || allow.includes(url.host)
}

/** Why nothing is sent to this address, or null. Names are resolved, and looked at again, when the connection is made. */
export function refusalOf(text: string, allow: readonly string[]): string | null {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    return 'it is no address'
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'only https is used'
  if (url.username !== '' || url.password !== '') return 'it holds a user name or a password'
  if (isAllowedHost(url, allow)) return null
  if (url.protocol !== 'https:') return 'only https is used'
  const literal = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (isIP(literal) !== 0 && !isPublicAddress(literal)) return 'it is inside a private network'
  if (literal === 'localhost' || literal.endsWith('.localhost')) return 'it is this machine'
  return null
}
