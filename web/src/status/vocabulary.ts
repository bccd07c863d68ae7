/** The closed list of states people see: one word and one family each, the same in API, CLI, portal and mail. */
export type Family = 'ok' | 'run' | 'warn' | 'bad' | 'wait' | 'off'
export type Word = { word: string; family: Family }

const RUN: Record<string, Word> = {
  waiting: { word: 'Waiting for approval', family: 'wait' },
  queued: { word: 'Queued', family: 'wait' },
  pending: { word: 'Queued', family: 'off' },
  running: { word: 'Running', family: 'run' },
  stalled: { word: 'Stalled', family: 'warn' },
  succeeded: { word: 'Succeeded', family: 'ok' },
  failed: { word: 'Failed', family: 'bad' },
  cancelled: { word: 'Cancelled', family: 'off' },
  superseded: { word: 'Superseded', family: 'off' },
  skipped: { word: 'Skipped', family: 'off' },
  denied: { word: 'Denied', family: 'bad' },
}

const NODE: Record<string, Word> = {
  success: { word: 'Succeeded', family: 'ok' },
  pass: { word: 'Succeeded', family: 'ok' },
  warn: { word: 'Succeeded with warnings', family: 'warn' },
  error: { word: 'Failed', family: 'bad' },
  fail: { word: 'Failed', family: 'bad' },
  skipped: { word: 'Skipped', family: 'off' },
  started: { word: 'Running', family: 'run' },
  running: { word: 'Running', family: 'run' },
}

const PRODUCT: Record<string, Word> = {
  active: { word: 'Active', family: 'ok' },
  deploying: { word: 'Deploying', family: 'run' },
  provisioning: { word: 'Provisioning', family: 'run' },
  retiring: { word: 'Retiring', family: 'run' },
  degraded: { word: 'Degraded', family: 'warn' },
  failed: { word: 'Failed', family: 'bad' },
  waiting: { word: 'Waiting for approval', family: 'wait' },
  'waiting-for-approval': { word: 'Waiting for approval', family: 'wait' },
  draft: { word: 'Draft', family: 'off' },
  listed: { word: 'Listed', family: 'ok' },
  delisted: { word: 'Delisted', family: 'off' },
  retired: { word: 'Retired', family: 'off' },
}

const LEVEL: Record<string, Word> = {
  met: { word: 'Met', family: 'ok' },
  'at-risk': { word: 'At risk', family: 'warn' },
  breached: { word: 'Breached', family: 'bad' },
  'not-evaluated': { word: 'Not evaluated', family: 'bad' },
  gathering: { word: 'Gathering', family: 'wait' },
  'no-data': { word: 'No data', family: 'off' },
  paused: { word: 'Paused', family: 'off' },
}

const REQUEST: Record<string, Word> = {
  draft: { word: 'Draft', family: 'off' },
  submitted: { word: 'Requested', family: 'wait' },
  approved: { word: 'Applying', family: 'run' },
  done: { word: 'Done', family: 'ok' },
  denied: { word: 'Denied', family: 'bad' },
  failed: { word: 'Failed to apply', family: 'bad' },
  withdrawn: { word: 'Withdrawn', family: 'off' },
}

const AGREEMENT: Record<string, Word> = {
  requested: { word: 'Requested', family: 'wait' },
  approved: { word: 'Applying', family: 'run' },
  applying: { word: 'Applying', family: 'run' },
  active: { word: 'Active', family: 'ok' },
  expiring: { word: 'Expiring', family: 'warn' },
  expired: { word: 'Expired', family: 'off' },
  revoked: { word: 'Revoked', family: 'off' },
  denied: { word: 'Denied', family: 'bad' },
  withdrawn: { word: 'Withdrawn', family: 'off' },
  failed: { word: 'Failed to apply', family: 'bad' },
}

const YOURS: Record<string, Word> = {
  'can-read': { word: 'Can read', family: 'ok' },
  'can-request': { word: 'Can request', family: 'off' },
  owner: { word: 'You own it', family: 'ok' },
}

const INCIDENT: Record<string, Word> = {
  open: { word: 'Open', family: 'bad' },
  acknowledged: { word: 'Acknowledged', family: 'run' },
  resolved: { word: 'Resolved', family: 'ok' },
}

const KINDS = {
  run: RUN,
  node: NODE,
  product: PRODUCT,
  level: LEVEL,
  request: REQUEST,
  agreement: AGREEMENT,
  incident: INCIDENT,
  yours: YOURS,
}
export type StatusKind = keyof typeof KINDS

/** A state that is not in the list shows as itself, without a colour: it never passes for a good one. */
export function wordFor(kind: StatusKind, state: string): Word {
  return KINDS[kind][state.toLowerCase()] ?? { word: state, family: 'off' }
}
