import type { z } from 'zod'
import type * as shapes from '../../../src/http/schemas.ts'

/** The shapes of the API as types alone: the schemas themselves stay on the server. */
export type Me = z.infer<typeof shapes.Me>
export type Health = z.infer<typeof shapes.Health>
export type Problem = z.infer<typeof shapes.Problem>
export type Diagnostic = z.infer<typeof shapes.Diagnostic>
export type RunState = z.infer<typeof shapes.RunState>
export type StepState = z.infer<typeof shapes.StepState>
export type RunProblem = z.infer<typeof shapes.RunProblem>
export type RunSummary = z.infer<typeof shapes.RunSummary>
export type RunStep = z.infer<typeof shapes.RunStep>
export type RunNode = z.infer<typeof shapes.RunNode>
export type Run = z.infer<typeof shapes.Run>
export type RunEvent = z.infer<typeof shapes.RunEvent>
export type Step = z.infer<typeof shapes.Step>
export type Plan = z.infer<typeof shapes.Plan>
export type ProductSummary = z.infer<typeof shapes.ProductSummary>
export type Product = z.infer<typeof shapes.Product>
export type Served = z.infer<typeof shapes.Served>
export type NewRequest = z.infer<typeof shapes.NewRequest>
export type Request = z.infer<typeof shapes.Request>
export type Agreement = z.infer<typeof shapes.Agreement>
export type Connection = z.infer<typeof shapes.Connection>
export type ServiceLevel = z.infer<typeof shapes.ServiceLevel>
export type Incident = z.infer<typeof shapes.Incident>
export type PastRelease = z.infer<typeof shapes.PastRelease>
export type Certificate = z.infer<typeof shapes.Certificate>
export type Usage = z.infer<typeof shapes.Usage>
export type Domain = z.infer<typeof shapes.Domain>
export type SearchHit = z.infer<typeof shapes.SearchHit>
export type Lineage = z.infer<typeof shapes.Lineage>
export type LineageLevel = z.infer<typeof shapes.LineageLevel>
export type LineageNode = z.infer<typeof shapes.LineageNode>
export type LineageEdge = z.infer<typeof shapes.LineageEdge>
export type PortUsage = z.infer<typeof shapes.PortUsage>
export type List<T> = { items: T[]; next: string | null }
