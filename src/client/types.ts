import type { z } from 'zod'
import type * as schemas from '../http/schemas.ts'

/** The shapes of the API as TypeScript sees them; only types, so that the client starts without loading zod. */
export type Health = z.infer<typeof schemas.Health>
export type Me = z.infer<typeof schemas.Me>
export type Diagnostic = z.infer<typeof schemas.Diagnostic>
export type Problem = z.infer<typeof schemas.Problem>
export type RunProblem = z.infer<typeof schemas.RunProblem>
export type RunSummary = z.infer<typeof schemas.RunSummary>
export type Run = z.infer<typeof schemas.Run>
export type RunStep = z.infer<typeof schemas.RunStep>
export type RunEvent = z.infer<typeof schemas.RunEvent>
export type Plan = z.infer<typeof schemas.Plan>
export type PlanStep = z.infer<typeof schemas.Step>
export type ProductSummary = z.infer<typeof schemas.ProductSummary>
export type Product = z.infer<typeof schemas.Product>
export type ServiceLevel = z.infer<typeof schemas.ServiceLevel>
export type Incident = z.infer<typeof schemas.Incident>
export type NewRequest = z.infer<typeof schemas.NewRequest>
export type Request = z.infer<typeof schemas.Request>
export type Agreement = z.infer<typeof schemas.Agreement>
export type Certificate = z.infer<typeof schemas.Certificate>
export type Connection = z.infer<typeof schemas.Connection>
export type Domain = z.infer<typeof schemas.Domain>
export type Subject = z.infer<typeof schemas.Subject>
export type SearchHit = z.infer<typeof schemas.SearchHit>
export type Lineage = z.infer<typeof schemas.Lineage>
export type Usage = z.infer<typeof schemas.Usage>
export type PortUsage = z.infer<typeof schemas.PortUsage>
export type RetirementProposal = z.infer<typeof schemas.RetirementProposal>
export type PastRelease = z.infer<typeof schemas.PastRelease>
export type AuditRow = z.infer<typeof schemas.AuditRow>
export type IssuedToken = z.infer<typeof schemas.IssuedToken>
export type ReadToken = z.infer<typeof schemas.ReadToken>
export type Page<T> = { items: T[]; next: string | null }

/** Names of the schemas an answer can be checked against. */
export type SchemaName = Exclude<keyof typeof schemas, 'List'>
