/** What a CGI program says before its body; `bodyAt` is where the body starts. */
export type CgiHead = { status: number; headers: [string, string][]; bodyAt: number }

/** @returns null while the head is not complete. Example: `Status: 404 Not Found\r\nContent-Type: text/plain\r\n\r\n…` */
export function parseCgiHead(bytes: Buffer): CgiHead | null {
  const crlf = bytes.indexOf('\r\n\r\n')
  const lf = bytes.indexOf('\n\n')
  const isCrlf = crlf >= 0 && (lf < 0 || crlf < lf)
  const end = isCrlf ? crlf : lf
  if (end < 0) return null
  let status = 200
  const headers: [string, string][] = []
  for (const line of bytes.toString('latin1', 0, end).split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon <= 0) continue
    const name = line.slice(0, colon).trim()
    const value = line.slice(colon + 1).trim()
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10) || 500
    else headers.push([name, value])
  }
  return { status, headers, bodyAt: end + (isCrlf ? 4 : 2) }
}
