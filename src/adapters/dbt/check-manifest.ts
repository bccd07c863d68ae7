import type { Diagnostic } from '../../core/diagnostic.ts'
import type { ErrorCode } from '../../core/errors.ts'
import type { Manifest, ManifestNode } from './read-manifest.ts'

export type ManifestRules = {
  buildSchema: string
  database: string
  /** every object of every output port and the model it comes from */
  ports: { object: string; from: string }[]
}

/** What dbt makes a relation of. */
const BUILT = new Set(['model', 'seed', 'snapshot'])

/**
 * What the project says it will do, against what it may do, before anything is built. It is a courtesy with good messages, not the wall: hooks,
 * operations and overridden materializations (also dbt's own, CVE-2024-40637) do whatever they like whatever the manifest says; the checks in the
 * warehouse after the build find the effects. An overridden `generate_schema_name` shows here, because the manifest holds the schema it chose.
 */
export function checkManifest(manifest: Manifest, rules: ManifestRules): Diagnostic[] {
  const built = manifest.nodes.filter((node) => BUILT.has(node.resource) && node.materialized !== 'ephemeral')
  return [
    ...built.flatMap((node) => checkPlace(node, rules)),
    ...built.filter((node) => node.configGrants).map(refuseGrants),
    ...rules.ports.flatMap((port) => checkPort(port, manifest)),
  ]
}

function checkPlace(node: ManifestNode, { buildSchema, database }: ManifestRules): Diagnostic[] {
  const wrong = [
    ...(node.schema === buildSchema ? [] : [`schema ${node.schema}`]),
    ...(node.database === database ? [] : [`database ${node.database}`]),
  ]
  if (wrong.length === 0) return []
  return [
    problem('TRANSFORM_NODE_OUTSIDE_BUILD', node, {
      what: `${node.resource} ${node.name} would be built in ${wrong.join(' of ')}`,
      why: 'A revision is built, checked and published as one schema; what stands elsewhere would escape all three.',
      fix: `Remove \`schema:\` and \`database:\` from the config of ${node.name} and of its folder in dbt_project.yml, and any macro named generate_schema_name or generate_database_name.`,
    }),
  ]
}

function refuseGrants(node: ManifestNode): Diagnostic {
  return problem('TRANSFORM_GRANTS_REFUSED', node, {
    what: `${node.resource} ${node.name} has a \`grants:\` config`,
    why: 'Access follows from agreements alone, so that it can be shown, explained and taken back.',
    fix: 'Remove `grants:`; a consumer asks for access to the port.',
  })
}

function checkPort(port: { object: string; from: string }, manifest: Manifest): Diagnostic[] {
  const found = manifest.nodes.filter((node) => BUILT.has(node.resource) && (node.alias === port.from || node.name === port.from))
  // dbt builds a relation under its alias; a versioned model has the alias name_v1.
  const node = found.find((candidate) => candidate.alias === port.from) ?? found[0]
  if (!node) {
    const near = manifest.nodes.filter((other) => BUILT.has(other.resource)).map((other) => other.alias ?? other.name)
    return [
      {
        severity: 'error',
        code: 'TRANSFORM_PORT_MODEL_MISSING',
        what: `No model, seed or snapshot is named ${port.from}, which object ${port.object} of the port comes from`,
        why: 'The port promises an object that nothing builds.',
        fix:
          near.length > 0
            ? `Name one of these in \`from:\`, or add the model: ${near.sort().slice(0, 10).join(', ')}.`
            : `Add models/${port.from}.sql.`,
      },
    ]
  }
  if (node.resource !== 'model' || node.materialized === 'table' || node.materialized === 'incremental') return []
  return [
    problem('TRANSFORM_PORT_NOT_A_TABLE', node, {
      what: `${port.from}, served as ${port.object}, is materialized as ${node.materialized}`,
      why: "Only tables are served: a view would run with its reader's rights and change under the reader's feet.",
      fix: `Write {{ config(materialized='table') }} at the top of ${node.file ?? port.from}.`,
    }),
  ]
}

function problem(code: ErrorCode, node: ManifestNode, text: { what: string; why: string; fix: string }): Diagnostic {
  return { severity: 'error', code, ...text, ...(node.file && { at: { file: node.file, line: 1, column: 1 } }) }
}
