import { formatProductAddress, type ProductAddress } from '../core/address.ts'
import type { ProjectLineage } from '../platform/transformation.ts'
import { upstreamRelation } from '../spec/generate-sources.ts'
import type { InputPort, ProductSpec } from '../spec/types.ts'
import type { LineageLevel } from '../store/schema.ts'

export type GraphNode = {
  level: LineageLevel
  address: string
  kind: 'source' | 'product' | 'model' | 'object' | 'column'
  name: string
  /** the object of a column, the product of everything else */
  parent: string
}
export type GraphEdge = { level: LineageLevel; from: string; to: string; kind: 'reads' | 'builds'; upstream: string | null }
export type ProductGraph = { nodes: GraphNode[]; edges: GraphEdge[]; gaps: string[] }

/** What an input port reads, as it was found among the products: `port` as consumers call it. */
export type GraphUpstream = ProductAddress & { input: string; id: string; port: string; objects: string[] }

/**
 * A product's part of the mesh's graph: its own nodes, and the edges that end at them. What a port serves is one node with the model it comes from; a
 * model that no port serves, or several do, is `domain/product#model`. Two majors of a port are one. Masks change nothing: a masked column comes from
 * where it comes from. Pure.
 */
export function productGraph(at: {
  product: ProductAddress
  spec: ProductSpec
  upstreams: readonly GraphUpstream[]
  documents: readonly ProjectLineage[]
}): ProductGraph {
  const { spec, upstreams, documents } = at
  const own = formatProductAddress(at.product)
  const nodes = new Map<string, GraphNode>()
  const edges = new Map<string, GraphEdge>()
  const addNode = (node: GraphNode) => {
    const key = `${node.level} ${node.address}`
    if (!nodes.has(key)) nodes.set(key, node)
  }
  const addEdge = (edge: GraphEdge) => {
    if (edge.from !== edge.to) edges.set(`${edge.level} ${edge.to} ${edge.from}`, edge)
  }

  const sources = sourcesOf(own, spec)
  addNode({ level: 'product', address: own, kind: 'product', name: at.product.product, parent: own })
  for (const { address, name } of sources.inputs) {
    addNode({ level: 'product', address, kind: 'source', name, parent: own })
    addEdge({ level: 'product', from: address, to: own, kind: 'reads', upstream: null })
  }
  for (const upstream of upstreams)
    addEdge({ level: 'product', from: formatProductAddress(upstream), to: own, kind: 'reads', upstream: upstream.id })

  const served = servedObjects(own, spec)
  for (const { address, name, columns } of served) {
    addNode({ level: 'object', address, kind: 'object', name, parent: own })
    for (const column of columns) addColumn(address, column)
  }
  for (const document of documents) {
    const relations = new Map(document.models.map((model) => [model.name, addModel(model)]))
    const resolve = (ref: string): Relation | null => {
      const name = ref.slice(ref.indexOf(':') + 1)
      return ref.startsWith('model:') ? (relations.get(name) ?? null) : locateSource(name)
    }
    for (const source of document.sources) {
      const { address, upstream } = locateSource(source.name)
      if (upstream !== null) continue
      addNode({ level: 'object', address, kind: 'source', name: sources.nameOf(address) ?? source.name, parent: own })
      for (const column of source.columns) addColumn(address, column)
    }
    for (const model of document.models) for (const ref of model.reads) connect(resolve(ref), relations.get(model.name)!)
    for (const [model, column, ref, from] of document.columns)
      connect(resolve(ref), relations.get(model) ?? null, { from, to: column })
  }
  return {
    nodes: [...nodes.values()],
    edges: [...edges.values()],
    gaps: documents.length === 0 ? ['what its models read is not known'] : documents.flatMap((document) => document.missing),
  }

  function addColumn(address: string, column: string): void {
    addNode({ level: 'column', address: `${address}.${column}`, kind: 'column', name: column, parent: address })
  }

  function addModel(model: ProjectLineage['models'][number]): Relation {
    const objects = served.filter(({ from }) => from === model.name).map(({ address }) => address)
    const [only] = objects
    if (only !== undefined && objects.length === 1) return { address: only, upstream: null }
    const address = `${own}#${model.name}`
    addNode({ level: 'object', address, kind: 'model', name: model.name, parent: own })
    for (const column of model.columns) addColumn(address, column)
    for (const object of objects) {
      addEdge({ level: 'object', from: address, to: object, kind: 'builds', upstream: null })
      for (const column of model.columns.filter((name) => nodes.has(`column ${object}.${name}`)))
        addEdge({ level: 'column', from: `${address}.${column}`, to: `${object}.${column}`, kind: 'builds', upstream: null })
    }
    return { address, upstream: null }
  }

  /** A relation of the private schema: an upstream's object, what an ingestion wrote, or something nobody declared. */
  function locateSource(name: string): Relation {
    for (const upstream of upstreams)
      for (const object of upstream.objects)
        if (upstreamRelation(upstream.product, object) === name)
          return { address: `${formatProductAddress(upstream)}/${upstream.port}.${object}`, upstream: upstream.id }
    return { address: sources.ofTable(name) ?? `source:${own}/${name}`, upstream: null }
  }

  /** One relation reads another, or with `columns` one column comes from another. What nobody declared becomes a node here. */
  function connect(from: Relation | null, to: Relation | null, columns: { from: string; to: string } | null = null): void {
    if (!from || !to) return
    if (from.upstream === null && from.address.startsWith('source:'))
      addNode({ level: 'object', address: from.address, kind: 'source', name: lastPart(from.address), parent: own })
    const ends = { from: from.address, to: to.address }
    if (columns) {
      if (from.upstream === null) addColumn(from.address, columns.from)
      addColumn(to.address, columns.to)
      ends.from += `.${columns.from}`
      ends.to += `.${columns.to}`
    }
    const kind = from.upstream !== null || from.address.startsWith('source:') ? 'reads' : 'builds'
    addEdge({ level: columns ? 'column' : 'object', ...ends, kind, upstream: from.upstream })
  }
}

function lastPart(address: string): string {
  return address.slice(address.lastIndexOf('/') + 1)
}

/** `upstream`: whose it is, when it is another product's. */
type Relation = { address: string; upstream: string | null }

function servedObjects(own: string, spec: ProductSpec) {
  const found = new Map<string, { address: string; name: string; from: string; columns: string[] }>()
  for (const output of [...spec.outputs].sort((a, b) => b.major - a.major)) {
    if (output.kind !== 'sql') continue
    for (const object of output.objects) {
      const address = `${own}/${output.port}.${object.name}`
      const columns = object.columns.map(({ name }) => name)
      // Another major of the port may come from another model: both build the one node.
      found.set(`${address} ${object.from}`, { address, name: object.name, from: object.from, columns })
    }
  }
  return [...found.values()]
}

type OutsideInput = Exclude<InputPort, { kind: 'product' }>

function sourcesOf(own: string, spec: ProductSpec) {
  const inputs = spec.inputs
    .filter((input): input is OutsideInput => input.kind !== 'product')
    .map((input) => ({ input: input.name, address: `source:${own}/${input.name}`, name: nameOf(input) }))
  const tables = new Map(
    spec.ingestions.flatMap(({ writes }) =>
      writes.map(({ table, from, object }) => [table, `source:${own}/${from}${object === null ? '' : `/${object}`}`] as const),
    ),
  )
  return {
    inputs,
    ofTable: (table: string) => tables.get(table) ?? null,
    nameOf: (address: string) => inputs.find((input) => input.address === address)?.name ?? null,
  }
}

function nameOf(input: OutsideInput): string {
  return input.kind === 'file' ? input.path : `${input.kind} ${input.name}`
}
