type ServerSent = { id: string | null; data: string }

/**
 * The events of a server-sent stream (WHATWG HTML 9.2), as far as Heddle uses it. A comment, the server's sign of life, comes out as null.
 * Ends when the stream does; an event cut off by the end is dropped, as the standard says.
 */
export async function* readServerSent(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ServerSent | null> {
  const decoder = new TextDecoder()
  let rest = ''
  let id: string | null = null
  let data: string[] = []
  for await (const chunk of chunks) {
    rest += decoder.decode(chunk, { stream: true })
    // A lone CR at the end may be half of a CRLF: it waits for the next chunk.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop()!
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { id, data: data.join('\n') }
        data = []
        continue
      }
      if (line.startsWith(':')) {
        yield null
        continue
      }
      const colon = line.indexOf(':')
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'data') data.push(value)
      if (field === 'id' && !value.includes('\0')) id = value
    }
  }
}
