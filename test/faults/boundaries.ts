/** Commands in the order of their steps, as src/plan plans them; a run that meets another command fails the matrix, which kills at each of these. */
export const BOOTSTRAP = [
  'provision-budget',
  'provision-roles',
  'provision-schemas',
  'create-namespace',
  'create-community',
  'draft-entry',
  'create-repository',
]
export const DEPLOY = [
  'provision-port',
  'ingest',
  'transform',
  'seal',
  'check-quality',
  'serve-port',
  'publish',
  'apply-monitors',
  'list-entry',
  'record-release',
  'collect',
]
/** A second deploy provisions nothing. */
export const SECOND = DEPLOY.slice(1)

export const BOUNDARIES = ['before-intent', 'after-intent', 'after-effect', 'after-result']

/** @example each(['seal'], ['after-intent']) // ['seal:after-intent'] */
export function each(commands: readonly string[], boundaries: readonly string[]): string[] {
  return commands.flatMap((command) => boundaries.map((boundary) => `${command}:${boundary}`))
}
