import type { Diagnostic, Problem } from './types.ts'

/** What a call ends in when it does not succeed: always a sentence, a way on and an id to ask with. */
export type Failure = {
  status: number
  code: string
  what: string
  why: string | null
  fix: string
  requestId: string | null
  details: Diagnostic[]
}

export function isFailure(value: unknown): value is Failure {
  return typeof value === 'object' && value !== null && 'code' in value && 'what' in value && 'fix' in value
}

/** Whatever was thrown, as something a person can read. */
export function toFailure(thrown: unknown): Failure {
  if (isFailure(thrown)) return thrown
  return {
    status: 0,
    code: 'PORTAL_UNEXPECTED',
    what: 'The page met something it did not expect',
    why: thrown instanceof Error ? thrown.message : String(thrown),
    fix: 'Reload the page. If it happens again, report it with the address of this page.',
    requestId: null,
    details: [],
  }
}

export function unreachable(): Failure {
  return {
    status: 0,
    code: 'PORTAL_SERVER_UNREACHABLE',
    what: 'The control plane does not answer',
    why: 'The connection was refused or broke off.',
    fix: 'Check that heddle start is running, then try again.',
    requestId: null,
    details: [],
  }
}

export async function readFailure(response: Response): Promise<Failure> {
  const requestId = response.headers.get('x-request-id')
  const problem = (await response.json().catch(() => null)) as Partial<Problem> | null
  return {
    status: response.status,
    code: problem?.code ?? `HTTP_${response.status}`,
    what: problem?.detail ?? problem?.title ?? `The server answered ${response.status}`,
    why: problem?.why ?? null,
    fix: problem?.fix ?? 'Try again; if it goes on, run heddle doctor.',
    requestId: problem?.requestId ?? requestId,
    details: problem?.details ?? [],
  }
}
