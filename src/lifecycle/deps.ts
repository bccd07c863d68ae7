import type { Clock } from '../core/clock.ts'
import type { Archive } from '../platform/archive.ts'
import type { Repository } from '../platform/repository.ts'
import type { Warehouse } from '../platform/warehouse.ts'
import type { Mesh } from '../spec/mesh.ts'
import type { ValidationWorker } from '../spec/validate-in-worker.ts'
import type { Control } from '../store/control.ts'

export type LifecycleDeps = {
  control: Control
  clock: Clock
  repository: Repository
  archive: Archive
  warehouse(environment: string): Warehouse
  validate: ValidationWorker['validateInWorker']
  mesh(): Mesh
  /** where people look: `http://127.0.0.1:4000` */
  url(): string
  log(line: string): void
}
