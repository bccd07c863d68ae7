import { join } from 'node:path'
import type { TestPlatform } from '../platform.ts'
import { startTestPlatform } from '../platform.ts'
import { ORDERS_CSV, orderFiles, writeFiles, writeSource } from '../small-mesh.ts'

/**
 * Products of equal content in domains of their own, with names of equal length: what a fault leaves of one is compared with what calm weather leaves
 * of another. Each has its own domain, because budget, namespace and community belong to the domain and are made by its first product only.
 */
export const products = (count: number): string[] =>
  Array.from({ length: count }, (_, n) => {
    const name = String.fromCharCode(97 + Math.floor(n / 26), 97 + (n % 26))
    return `dom-${name}/pro-${name}`
  })
export const PRODUCTS = products(6)

const MODEL = 'dbt/models/orders.sql'
const MASKED = `        - type: data-policy
          properties:
            rowFilters:
              - {name: some, object: "*", condition: "item in subject.items", exempt: [{role: owner}]}
            columnMasks:
              - {name: no-item, columns: [orders.item], method: "null", exempt: [{role: owner}]}
  policies:
`

/** File in, dbt, tests, quality rule, mask, row filter: every command of a deploy has something to do. */
export function productFiles(address: string): Record<string, string> {
  const [domain, name] = address.split('/')
  const files = orderFiles()
  return {
    ...files,
    'data_product_spec.yml': files['data_product_spec.yml']!.replace(
      'name: orders\n  namespace: shop',
      `name: ${name}\n  namespace: ${domain}`,
    )
      .replace('path: shop-files/', 'path: files/')
      .replace('  policies:\n', MASKED),
    'data_product_deploy.yml': files['data_product_deploy.yml']!.replace('name: orders', `name: ${name}`),
  }
}

/** The change of the second deploy: other rows, the same columns. */
export const secondFiles = (): Record<string, string> => ({
  [MODEL]: `${orderFiles()[MODEL]!.trimEnd()}\nunion all\nselect 99::bigint, 'glue', 1::integer\n`,
})

/** A model that is still building `seconds` later. */
export const slowFiles = (seconds: number): Record<string, string> => ({
  [MODEL]: `${orderFiles()[MODEL]!.trimEnd()} cross join (select pg_sleep(${seconds})) as nap\n`,
})

function meshOf(addresses: readonly string[]): string {
  const lines = (of: (domain: string, name: string) => string) =>
    addresses.map((address) => of(...(address.split('/') as [string, string]))).join('\n')
  return `apiVersion: heddle.dev/v1alpha1
kind: Mesh
metadata: {name: faults}
environments:
  prod: {warehouse: {adapter: postgres}}
domains:
${lines((domain) => `  ${domain}: {title: Domain, owners: [developer]}`)}
sources:
  files: {path: "{data}/work/sources/files", domains: [${addresses.map((address) => address.split('/')[0]).join(', ')}]}
templates:
${lines((_, name) => `  ${name}: {title: Orders, path: "{data}/work/templates/${name}"}`)}
subjects:
  developer: {title: Dana Developer, sample: true}
  platform: {title: Pat Platform, groups: [platform], sample: true}
`
}

export async function startFaultMesh(addresses: readonly string[] = PRODUCTS): Promise<TestPlatform> {
  const platform = await startTestPlatform({ mesh: meshOf(addresses) })
  await writeSource(platform, 'files/orders.csv', ORDERS_CSV)
  for (const address of addresses) await writeTemplate(platform, address, {})
  return platform
}

/** The files a product's repository will start with. */
export async function writeTemplate(platform: TestPlatform, address: string, files: Record<string, string>): Promise<void> {
  await writeFiles(join(platform.data, 'work/templates', address.split('/')[1]!), { ...productFiles(address), ...files })
}

/** Asks for the product; a control plane that dies meanwhile is no error. */
export async function askFor(platform: TestPlatform, address: string): Promise<void> {
  const [domain, name] = address.split('/') as [string, string]
  await platform
    .client()
    .createRequest({ kind: 'product', payload: { domain, name, title: 'Product', template: name } })
    .catch((error: { code?: string }) => {
      if (error.code !== 'CLIENT_SERVER_UNREACHABLE') throw error
    })
}

const MOVING = ['waiting', 'queued', 'running']

/** Waits until `runs` runs of the product have ended, read from the database: the API may be down. @returns their states in order */
export async function untilEnded(platform: TestPlatform, address: string, runs: number, seconds = 60): Promise<string[]> {
  const client = await platform.control()
  for (const end = Date.now() + seconds * 1000; ; ) {
    const { rows } = await client.query<{ kind: string; state: string; problem: unknown }>(
      `select r.kind, r.state, r.problem from run r join product p on p.id = r.product where p.domain || '/' || p.name = $1 order by r.number`,
      [address],
    )
    if (rows.length >= runs && rows.every(({ state }) => !MOVING.includes(state))) {
      await client.end()
      return rows.map(({ kind, state, problem }) => `${kind} ${state}${problem ? `: ${JSON.stringify(problem)}` : ''}`)
    }
    if (Date.now() > end) throw new Error(`${address} after ${seconds} s: ${JSON.stringify(rows)}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** Waits until the condition gives something else than null or false. */
export async function until<T>(what: string, seconds: number, condition: () => Promise<T | null | false>): Promise<T> {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const found = await condition()
    if (found !== null && found !== false) return found
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
