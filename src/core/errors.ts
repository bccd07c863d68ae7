/**
 * Every error a user can meet, one row each. `docs/errors.md` is generated from this table and a test keeps both equal.
 * Summary is stable and free of user names; remedy says what to do in general, the raised error adds names and values.
 * `rule` is the id of the validation rule in the spec language reference, where there is one.
 */
export type ErrorRow = { status: number; summary: string; remedy: string; rule?: string }

export const ERRORS = {
  // --- core
  INTERNAL_UNEXPECTED: {
    status: 500,
    summary: 'Something failed that should not',
    remedy: 'Look in the log for the request id; run `heddle doctor`.',
  },
  CORE_DURATION_INVALID: {
    status: 422,
    summary: 'Not a duration',
    remedy: 'Write a whole number and a unit without a space: 15m, 24h, 90d.',
    rule: 'TIM02',
  },
  CORE_NAME_INVALID: {
    status: 422,
    summary: 'Not a valid name',
    remedy: 'Use lower-case letters, digits and single hyphens, at most 63 characters, starting with a letter.',
    rule: 'REF02',
  },
  CORE_ADDRESS_INVALID: { status: 422, summary: 'Not an address', remedy: 'Write domain/product, or domain/product/port.' },
  // --- spec
  // --- policy
  // --- platform
  PLATFORM_RESOURCE_FOREIGN: {
    status: 409,
    summary: 'The object exists but is not managed here',
    remedy: 'Choose another name, or have the platform team adopt the object.',
  },
  // --- warehouse
  WAREHOUSE_FENCE_STALE: {
    status: 409,
    summary: 'Another worker has taken over this run',
    remedy: 'Nothing to do: the other worker finishes it.',
  },
  // --- ingestion
  // --- transformation
  // --- repository
  // --- server (embedded parts, start and stop)
  // --- request, product, run
  PRODUCT_NAME_TAKEN: { status: 409, summary: 'The name is taken', remedy: 'Choose another name.', rule: 'REF02' },
  // --- access
  // --- http, cli
} as const satisfies Record<string, ErrorRow>

export type ErrorCode = keyof typeof ERRORS
