import type { Clock } from '../core/clock.ts'
import type { Archive } from '../platform/archive.ts'
import type { SourceReader } from '../platform/ingestion.ts'
import type { Repository } from '../platform/repository.ts'
import type { Transformation } from '../platform/transformation.ts'
import type { Place, Warehouse } from '../platform/warehouse.ts'
import type { Control } from '../store/control.ts'

/** What commands act on; built once in main.ts. */
export type CommandDeps = {
  control: Control
  clock: Clock
  /** @throws ENVIRONMENT_UNKNOWN */
  warehouse(environment: string): Warehouse
  /** of the mesh, in their order */
  environments(): string[]
  repository: Repository
  archive: Archive
  transformation: Transformation
  reader(domain: string): SourceReader
  /** path → text of a template that mesh.yml names */
  templateFiles(name: string): Promise<Record<string, string>>
  /** `<data>/work`: checkouts, one folder per product and environment */
  workDir: string
}

/** The args that every step about a product in an environment carries. */
export type PlaceArgs = { environment: string; place: Place }
