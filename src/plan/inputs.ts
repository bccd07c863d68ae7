import { formatProductAddress, type ProductAddress } from '../core/address.ts'
import { fail } from '../core/fail.ts'
import { upstreamRelation } from '../spec/generate-sources.ts'
import { readVersion, satisfies } from '../spec/semver.ts'
import type { DataObject, InputPort, OutputPort, ProductSpec } from '../spec/types.ts'
import type { UpstreamPort } from './world.ts'

export type ProductInput = Extract<InputPort, { kind: 'product' }>

export function productInputs(spec: ProductSpec): ProductInput[] {
  return spec.inputs.filter((input) => input.kind === 'product')
}

export function upstreamAddress(input: ProductInput): ProductAddress {
  return { domain: input.domain, product: input.product }
}

/** The newest major of a port whose version the range allows, or null. */
export function chooseOutput(spec: ProductSpec, port: string, range: string): OutputPort | null {
  const matching = spec.outputs
    .filter((output) => output.kind === 'sql' && (output.port === port || output.name === port))
    .filter((output) => isInRange(output.version, range))
  return matching.sort((a, b) => b.major - a.major)[0] ?? null
}

export function isInRange(version: string, range: string): boolean {
  const read = readVersion(version)
  return read !== null && satisfies(read, range)
}

/**
 * An input port against the contract of what it names: which port and major, which objects, each with its view in the private schema.
 * @throws INPUT_PORT_UNKNOWN, INPUT_VERSION_UNMET, INPUT_CONTRACT_UNMET
 */
export function resolveInput(input: ProductInput, upstream: { id: string; spec: ProductSpec }): UpstreamPort {
  const address = formatProductAddress(upstreamAddress(input))
  const ports = upstream.spec.outputs.filter((output) => output.kind === 'sql')
  const named = ports.filter((output) => output.port === input.port || output.name === input.port)
  if (named.length === 0)
    throw fail('INPUT_PORT_UNKNOWN', {
      what: `${input.name} names ${address}/${input.port}, which ${address} does not have`,
      fix: `Its ports: ${ports.map(({ port }) => port).join(', ')}.`,
    })
  const output = chooseOutput(upstream.spec, input.port, input.versionRange)
  if (!output)
    throw fail('INPUT_VERSION_UNMET', {
      what: `${address}/${input.port} is ${named.map(({ version }) => version).join(' and ')}; ${input.name} wants ${input.versionRange}`,
    })
  const objects = input.expects.length > 0 ? input.expects : output.objects.map(({ name }) => ({ name, columns: [] }))
  const unmet = input.expects.flatMap((expected) => unmetOf(expected, output))
  if (unmet.length > 0)
    throw fail('INPUT_CONTRACT_UNMET', {
      what: `${address}/${input.port} ${output.version} has ${unmet.join('; ')}`,
      why: `${input.name} expects it.`,
    })
  return {
    input: input.name,
    place: { id: upstream.id, domain: input.domain, product: input.product },
    port: output.port,
    major: output.major,
    versionRange: input.versionRange,
    objects: objects.map(({ name, columns }) => ({
      name,
      table: upstreamRelation(input.product, name),
      columns: columns.map((column) => column.name),
    })),
  }
}

function unmetOf(expected: DataObject, output: OutputPort): string[] {
  const object = output.objects.find(({ name }) => name === expected.name)
  if (!object) return [`no object ${expected.name}`]
  return expected.columns.flatMap((column) => {
    const found = object.columns.find(({ name }) => name === column.name)
    const at = `${expected.name}.${column.name}`
    if (!found) return [`no ${at}`]
    if (found.logicalType !== column.logicalType) return [`${at} as ${found.logicalType}, not ${column.logicalType}`]
    return column.required && !found.required && !found.primaryKey ? [`${at} that may be null`] : []
  })
}
