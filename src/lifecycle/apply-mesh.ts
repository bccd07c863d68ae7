import { upsertSubject } from '../access/subjects.ts'
import { upsertDomain } from '../catalog/products.ts'
import { hashOf } from '../core/canonical.ts'
import type { Warehouse } from '../platform/warehouse.ts'
import type { Mesh } from '../spec/mesh.ts'
import { audit } from '../store/audit.ts'
import { type Control, json } from '../store/control.ts'

/** Makes the budgets of mesh.yml those of the logins that exist already. @returns what was changed, in words */
export async function applyBudgets(mesh: Mesh, warehouse: Warehouse): Promise<string[]> {
  const budgets = Object.fromEntries(Object.entries(mesh.domains).map(([name, { budget }]) => [name, budget]))
  const changed = await warehouse.changeBudgets(budgets)
  return changed.map((domain) => `gave ${domain} its new budget in ${warehouse.environment}`)
}

/** Makes the control database say what mesh.yml says. @returns whether anything was new */
export async function applyMesh(control: Control, mesh: Mesh): Promise<{ changed: boolean }> {
  const hash = hashOf(mesh)
  return control.db.transaction().execute(async (queries) => {
    const last = await queries.selectFrom('mesh').select('hash').orderBy('version', 'desc').limit(1).executeTakeFirst()
    if (last?.hash === hash) return { changed: false }
    for (const [name, subject] of Object.entries(mesh.subjects)) {
      await upsertSubject(queries, { name, ...subject, email: subject.email ?? null, domain: subject.domain ?? null })
    }
    for (const [name, domain] of Object.entries(mesh.domains)) await upsertDomain(queries, { name, ...domain })
    await queries
      .insertInto('mesh')
      .values({ document: json(mesh), hash })
      .execute()
    await audit(queries, {
      actor: 'platform',
      onBehalfOf: null,
      action: 'mesh.applied',
      object: `mesh ${mesh.metadata.name}`,
      detail: { hash },
    })
    return { changed: true }
  })
}
