import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto'

const ITERATIONS = 4096

/** 192 bits, safe in a URL. */
export function newPassword(): string {
  return randomBytes(24).toString('base64url')
}

/** What PostgreSQL keeps of a password. Made here, so that no password ever stands in a statement. ASCII passwords only (no SASLprep needed). */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16), iterations = ITERATIONS): string {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256')
  const hmac = (text: string) => createHmac('sha256', salted).update(text).digest()
  const stored = createHash('sha256').update(hmac('Client Key')).digest('base64')
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${stored}:${hmac('Server Key').toString('base64')}`
}

export function matchesVerifier(password: string, verifier: string | null): boolean {
  const found = /^SCRAM-SHA-256\$([0-9]{1,7}):([^$]+)\$/.exec(verifier ?? '')
  if (!found || verifier === null) return false
  const made = Buffer.from(scramVerifier(password, Buffer.from(found[2]!, 'base64'), Number(found[1])))
  const held = Buffer.from(verifier)
  return made.length === held.length && timingSafeEqual(made, held)
}
