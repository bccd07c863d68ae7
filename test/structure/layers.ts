/** DESIGN's layer table: a folder of src/ imports only lower numbers and itself; folders of one number never import each other. */
export const LAYERS: Readonly<Record<string, number>> = {
  core: 0,
  sql: 1,
  policy: 2,
  slo: 2,
  spec: 3,
  platform: 4,
  plan: 5,
  store: 6,
  adapters: 6,
  run: 7,
  access: 7,
  observe: 7,
  catalog: 7,
  commands: 8,
  lifecycle: 9,
  http: 10,
  client: 11,
  cli: 12,
  /** files directly in src/: the composition root and what it loads */
  '': 13,
}

/** Folders that only compute: what they are given in, what they work out. */
export const PURE = ['core', 'sql', 'policy', 'slo', 'spec', 'plan']
/** The two pure-folder files whose purpose is time and chance. */
export const PURE_EXCEPTIONS = ['core/clock.ts', 'core/id.ts']

/** Files that are one table, which is read row by row and not as a whole. */
export const LONG_TABLES = ['core/errors.ts', 'http/schemas.ts', 'cli/verbs.ts']
