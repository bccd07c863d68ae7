import { parseDocument } from 'yaml'
import { z } from 'zod'
import { readDuration } from '../core/duration.ts'
import { fail } from '../core/fail.ts'
import { isName } from '../core/names.ts'

const Name = z.string().refine(isName, 'lower-case letters, digits and single hyphens')
const Duration = z.string().refine((text) => readDuration(text) !== undefined, 'a whole number and a unit, such as 30s')
const Megabytes = z.string().regex(/^[1-9][0-9]*(MB|GB)$/, 'a whole number and MB or GB')

/** `mesh.yml`, kind Mesh: what the platform team says about the whole mesh. Unknown keys are errors. */
const MeshFile = z.strictObject({
  apiVersion: z.literal('heddle.dev/v1alpha1'),
  kind: z.literal('Mesh'),
  metadata: z.strictObject({ name: Name }),
  /** in promotion order; products name those they use in their deploy file */
  environments: z.record(
    Name,
    z.strictObject({
      warehouse: z.strictObject({ adapter: z.literal('postgres') }),
      /** every deploy here needs it, whatever the product's deploy file says; that may ask for more. `owner`: the domain's and the product's owners */
      approval: z
        .strictObject({
          by: z.array(z.string()).min(1),
          required: z.int().min(1).max(9).default(1),
          selfApproval: z.boolean().default(false),
        })
        .optional(),
    }),
  ),
  domains: z.record(
    Name,
    z.strictObject({
      title: z.string(),
      owners: z.array(z.string()).min(1),
      budget: z.strictObject({ connections: z.int().min(1).max(50), statement: Duration, tempFiles: Megabytes }).optional(),
    }),
  ),
  /** named folders that products of the listed domains may ingest files from; {runtime} and {data} are the installed runtime and the data directory */
  sources: z.record(Name, z.strictObject({ path: z.string(), domains: z.array(Name).min(1) })).default({}),
  approvals: z
    .strictObject({
      /** who approves a new domain */
      domain: z.strictObject({ by: z.array(z.string()).min(1) }),
      /** who approves a new product: owners of its domain, who therefore create freely */
      product: z.strictObject({ by: z.literal('domain-owners') }),
      /** who approves access: the approvers of the offer */
      access: z.strictObject({ by: z.literal('offer') }),
    })
    .default({ domain: { by: ['platform'] }, product: { by: 'domain-owners' }, access: { by: 'offer' } }),
  /** folders whose files start a product; `standard` is built in */
  templates: z.record(Name, z.strictObject({ title: z.string(), path: z.string() })).default({}),
  /** how people and systems are told: a mail server, hosts inside that webhooks may reach, who hears of the platform's own trouble */
  notices: z
    .strictObject({
      smtp: z
        .strictObject({
          host: z.string().min(1),
          port: z.int().min(1).max(65_535),
          from: z.string().regex(/^[^\r\n]*@[^\r\n]+$/, 'an address such as Heddle <heddle@example.org>'),
          security: z.enum(['tls', 'starttls', 'plain']).default('starttls'),
          /** its password is the secret smtp-password of the platform */
          user: z.string().optional(),
        })
        .optional(),
      webhooks: z.strictObject({ allow: z.array(z.string()).default([]) }).default({ allow: [] }),
      platform: z.array(z.email()).default([]),
    })
    .default({ webhooks: { allow: [] }, platform: [] }),
  /** after which time without a read a product's owners are asked whether it is still needed */
  retirement: z.strictObject({ proposeAfter: Duration }).default({ proposeAfter: '60d' }),
  /** closed list of purposes an offer may permit; empty allows any */
  purposes: z.array(z.string()).default([]),
  subjects: z
    .record(
      Name,
      z.strictObject({
        title: z.string(),
        kind: z.enum(['user', 'group', 'service']).default('user'),
        email: z.email().optional(),
        domain: Name.optional(),
        groups: z.array(Name).default([]),
        attributes: z.record(Name.or(z.string().regex(/^[a-z][a-z0-9_]{0,62}$/)), z.array(z.string())).default({}),
        /** only with the sample, on loopback: others may act as this user */
        sample: z.boolean().default(false),
      }),
    )
    .default({}),
})
export type MeshFile = z.infer<typeof MeshFile>

export type Mesh = Omit<MeshFile, 'domains'> & {
  domains: Record<
    string,
    { title: string; owners: string[]; budget: { connections: number; statementMs: number; tempFileBytes: number } }
  >
}

export const DEFAULT_BUDGET = { connections: 12, statementMs: 60_000, tempFileBytes: 1 << 30 }

/** @throws MESH_FILE_INVALID with the position of the first problem */
export function parseMesh(text: string, file: string): Mesh {
  const document = parseDocument(text, { uniqueKeys: true })
  const broken = document.errors[0]
  if (broken) throw fail('MESH_FILE_INVALID', { what: broken.message.split('\n')[0]!, at: positionAt(text, file, broken.pos[0]) })
  const parsed = MeshFile.safeParse(document.toJS({ maxAliasCount: 20 }))
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const node = document.getIn(issue.path, true) as { range?: [number, number, number] } | undefined
    throw fail('MESH_FILE_INVALID', {
      what: `${issue.path.join('.') || 'the file'}: ${issue.message}`,
      at: positionAt(text, file, node?.range?.[0] ?? 0),
    })
  }
  const domains = Object.entries(parsed.data.domains).map(
    ([name, { title, owners, budget }]) => [name, { title, owners, budget: budgetOf(budget) }] as const,
  )
  return { ...parsed.data, domains: Object.fromEntries(domains) }
}

function budgetOf(budget: MeshFile['domains'][string]['budget']) {
  if (!budget) return DEFAULT_BUDGET
  const [, size, unit] = /^([0-9]+)(MB|GB)$/.exec(budget.tempFiles)!
  return {
    connections: budget.connections,
    statementMs: readDuration(budget.statement)!,
    tempFileBytes: Number(size) * (unit === 'GB' ? 1 << 30 : 1 << 20),
  }
}

function positionAt(text: string, file: string, offset: number) {
  const before = text.slice(0, offset).split('\n')
  return { file, line: before.length, column: before.at(-1)!.length + 1 }
}
