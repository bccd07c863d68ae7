/**
 * The closed status vocabulary: every state of the API as one family and one word, the same in CLI, portal and mail. Colour never carries it alone.
 * Superseded and Denied are states of a run that the API tells apart from Cancelled and Failed, so they have their own word.
 */
export type StateFamily = 'ok' | 'run' | 'warn' | 'bad' | 'wait' | 'off'
export type StatusWord = { family: StateFamily; word: string }

const WORDS = {
  product: {
    active: ['ok', 'Active'],
    deploying: ['run', 'Deploying'],
    provisioning: ['run', 'Provisioning'],
    retiring: ['run', 'Retiring'],
    degraded: ['warn', 'Degraded'],
    failed: ['bad', 'Failed'],
    waiting: ['wait', 'Waiting for approval'],
    draft: ['off', 'Draft'],
    retired: ['off', 'Retired'],
  },
  run: {
    succeeded: ['ok', 'Succeeded'],
    running: ['run', 'Running'],
    failed: ['bad', 'Failed'],
    denied: ['bad', 'Denied'],
    queued: ['wait', 'Queued'],
    pending: ['wait', 'Queued'],
    waiting: ['wait', 'Waiting for approval'],
    skipped: ['off', 'Skipped'],
    cancelled: ['off', 'Cancelled'],
    superseded: ['off', 'Superseded'],
  },
  slo: {
    met: ['ok', 'Met'],
    'at-risk': ['warn', 'At risk'],
    breached: ['bad', 'Breached'],
    'not-evaluated': ['bad', 'Not evaluated'],
    gathering: ['wait', 'Gathering'],
    'no-data': ['off', 'No data'],
    paused: ['off', 'Paused'],
  },
  access: {
    active: ['ok', 'Active'],
    applying: ['run', 'Applying'],
    approved: ['run', 'Applying'],
    expiring: ['warn', 'Expiring'],
    drifted: ['warn', 'Drifted'],
    denied: ['bad', 'Denied'],
    failed: ['bad', 'Failed to apply'],
    requested: ['wait', 'Requested'],
    expired: ['off', 'Expired'],
    revoked: ['off', 'Revoked'],
    withdrawn: ['off', 'Withdrawn'],
  },
  request: {
    done: ['ok', 'Succeeded'],
    approved: ['run', 'Applying'],
    denied: ['bad', 'Denied'],
    failed: ['bad', 'Failed'],
    submitted: ['wait', 'Waiting for approval'],
    draft: ['off', 'Draft'],
    withdrawn: ['off', 'Withdrawn'],
  },
  incident: {
    open: ['bad', 'Open'],
    acknowledged: ['run', 'Acknowledged'],
    resolved: ['ok', 'Resolved'],
  },
  service: {
    up: ['ok', 'Up'],
    starting: ['run', 'Starting'],
    slow: ['warn', 'Slow'],
    down: ['bad', 'Down'],
    disabled: ['off', 'Disabled'],
  },
} as const satisfies Record<string, Record<string, readonly [StateFamily, string]>>

/** A state this client does not know is shown as it came, in the family that claims nothing. */
export function statusWord(kind: keyof typeof WORDS, state: string): StatusWord {
  const rows: Record<string, readonly [StateFamily, string]> = WORDS[kind]
  const row = Object.hasOwn(rows, state.toLowerCase()) ? rows[state.toLowerCase()] : undefined
  return row ? { family: row[0], word: row[1] } : { family: 'off', word: state }
}
