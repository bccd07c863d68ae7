import type { Connection, Product } from '../api/types.ts'
import { cli } from '../text/cli.ts'

export const WAYS = ['psql', 'JDBC', 'dbt', 'Python', 'BI', 'HTTP'] as const
export type Way = (typeof WAYS)[number]

/** What to run or fill in to read the product in one way. Before there is a login its parts are named, with it they are filled in. */
export function snippet(way: Way, product: Product, environment: string, connection: Connection | null): string {
  const { schema, object, port, major } = firstObject(product, environment, connection)
  const select = object ? `select * from ${schema}.${object} limit 20` : 'select current_user'
  const password = connection ? passwordOf(connection) : 'PASSWORD'
  const [host, listen, database, user] = connection
    ? [connection.host, connection.port, connection.database, connection.user]
    : ['HOST', '5432', environment, 'USER']
  if (way === 'psql')
    return connection
      ? `${connection.psql} -c '${select}'`
      : `$ ${cli.connect(product.address, environment)}\n${environment}=> ${select};`
  if (way === 'JDBC') return connection?.jdbc ?? `jdbc:postgresql://${host}/${database}?user=${user}&password=${password}`
  if (way === 'Python') {
    const url = connection?.url ?? `postgresql://${user}:${password}@${host}/${database}`
    return `import psycopg\n\nwith psycopg.connect("${url}") as connection:\n    rows = connection.execute("${select}").fetchall()`
  }
  if (way === 'dbt')
    return [
      '# profiles.yml',
      `${product.address.replace('/', '_').replaceAll('-', '_')}:`,
      `  target: ${environment}`,
      '  outputs:',
      `    ${environment}:`,
      '      type: postgres',
      `      host: ${host}`,
      `      port: ${listen}`,
      `      dbname: ${database}`,
      `      user: ${user}`,
      `      password: ${yaml(password)}`,
      '      schema: public',
      '      threads: 4',
      '# models/sources.yml',
      'sources:',
      `  - name: ${port ?? 'output'}`,
      `    database: ${database}`,
      `    schema: ${schema}`,
      '    tables:',
      `      - name: ${object ?? 'TABLE'}`,
    ].join('\n')
  if (way === 'BI')
    return [
      'Type      PostgreSQL',
      `Host      ${host}`,
      `Port      ${listen}`,
      `Database  ${database}`,
      `User      ${user}`,
      `Password  ${password}`,
      `Schema    ${schema}`,
      `Table     ${object ?? 'any'}`,
    ].join('\n')
  const at = httpOf(connection, port) ?? `${origin()}/data/${product.address}/${port ?? 'PORT'}/v${major}`
  const last = environment === product.environments.at(-1)?.name
  return [
    '# HEDDLE_TOKEN is your token; heddle connect prints this line with it',
    `curl -H "Authorization: Bearer $HEDDLE_TOKEN" \\`,
    `  '${at}/${object ?? 'OBJECT'}?limit=20${last ? '' : `&environment=${environment}`}'`,
  ].join('\n')
}

/** The port's address over HTTP, where the server says one. */
function httpOf(connection: Connection | null, port: string | null): string | null {
  const found = connection?.ports.find((each) => each.port === port)
  return found && 'http' in found && typeof found.http === 'string' ? found.http : null
}

function origin(): string {
  return typeof location === 'undefined' ? '' : location.origin
}

function firstObject(product: Product, environment: string, connection: Connection | null) {
  const allowed = connection?.ports.find((port) => port.objects.length)
  const served =
    product.served.find((each) => each.environment === environment && (!allowed || each.schema === allowed.schema)) ??
    product.served.find((each) => each.environment === environment)
  return {
    schema: allowed?.schema ?? served?.schema ?? 'SCHEMA',
    object: allowed?.objects[0] ?? served?.objects[0]?.name ?? null,
    port: allowed?.port ?? served?.port ?? null,
    major: served?.major ?? 1,
  }
}

export function passwordOf(connection: Connection): string {
  const encoded = /:\/\/[^:/@]*:([^@]*)@/.exec(connection.url)?.[1] ?? ''
  return decodeURIComponent(encoded)
}

/** The same text without its password, for the screen. */
export function hidePassword(text: string, connection: Connection): string {
  const password = passwordOf(connection)
  if (!password) return text
  return [encodeURIComponent(password), password, yaml(password)].reduce(
    (shown, form) => shown.replaceAll(form, '••••••••'),
    text,
  )
}

function yaml(text: string): string {
  return text === 'PASSWORD' ? text : `'${text.replaceAll("'", "''")}'`
}
