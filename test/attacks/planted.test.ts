import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { buildAs, cleanBuild, column, deploy, FLIGHTS, makeProduct, openWorld, type Product, type World } from './world.ts'

// What the service login can plant beside or inside its tables. Each must be found before anything is moved, read or served.
let world: World
let product: Product

before(async () => {
  world = await openWorld()
  product = await makeProduct(world)
  await deploy(world, product, 1)
})
after(() => world.dispose())

type Planting = { what: string; sql: (schema: string) => string[]; code: string; objects?: (typeof FLIGHTS)[] }
const PLANTINGS: Planting[] = [
  {
    what: 'an enum as a column type',
    code: 'VERIFY_COLUMN_TYPE_OWN',
    sql: (s) => [`CREATE TYPE ${s}.mood AS ENUM ('up', 'down')`, `ALTER TABLE ${s}.flights ADD COLUMN mood ${s}.mood`],
  },
  { what: 'a type nobody uses', code: 'VERIFY_FOREIGN_OBJECT', sql: (s) => [`CREATE TYPE ${s}.pair AS (a int, b int)`] },
  {
    what: 'a domain with a check',
    code: 'VERIFY_COLUMN_TYPE_OWN',
    sql: (s) => [
      `CREATE DOMAIN ${s}.code AS text CHECK (pg_backend_pid() > 0)`,
      `ALTER TABLE ${s}.flights ADD COLUMN code ${s}.code`,
    ],
  },
  {
    what: 'an operator',
    code: 'VERIFY_FOREIGN_OBJECT',
    sql: (s) => [`CREATE OPERATOR ${s}.=== (FUNCTION = pg_catalog.texteq, LEFTARG = text, RIGHTARG = text)`],
  },
  {
    what: 'an aggregate',
    code: 'VERIFY_FOREIGN_OBJECT',
    sql: (s) => [`CREATE AGGREGATE ${s}.total (int) (SFUNC = int4pl, STYPE = int)`],
  },
  { what: 'a collation', code: 'VERIFY_FOREIGN_OBJECT', sql: (s) => [`CREATE COLLATION ${s}.odd FROM "C"`] },
  {
    what: 'a column with an own collation',
    code: 'VERIFY_COLUMN_TYPE_OWN',
    sql: (s) => [`CREATE COLLATION ${s}.odd FROM "C"`, `ALTER TABLE ${s}.flights ADD COLUMN note text COLLATE ${s}.odd`],
  },
  {
    what: 'an index with an own collation',
    code: 'VERIFY_INDEX_EXPRESSION',
    sql: (s) => [`CREATE COLLATION ${s}.odd FROM "C"`, `CREATE INDEX ON ${s}.flights (origin COLLATE ${s}.odd)`],
  },
  {
    what: 'extended statistics',
    code: 'VERIFY_FOREIGN_OBJECT',
    sql: (s) => [`CREATE STATISTICS ${s}.stats (dependencies) ON id, origin FROM ${s}.flights`],
  },
  {
    what: 'a text search configuration',
    code: 'VERIFY_FOREIGN_OBJECT',
    sql: (s) => [`CREATE TEXT SEARCH CONFIGURATION ${s}.words (COPY = pg_catalog.simple)`],
  },
  { what: 'a sequence', code: 'VERIFY_FOREIGN_OBJECT', sql: (s) => [`CREATE SEQUENCE ${s}.counter`] },
  {
    what: 'a materialized view',
    code: 'VERIFY_FOREIGN_OBJECT',
    sql: (s) => [`CREATE MATERIALIZED VIEW ${s}.kept AS SELECT * FROM ${s}.flights`],
  },
  {
    what: 'a partitioned table',
    code: 'VERIFY_FOREIGN_OBJECT',
    sql: (s) => [`CREATE TABLE ${s}.parts (id int) PARTITION BY LIST (id)`],
  },
  {
    what: 'default privileges',
    code: 'VERIFY_DEFAULT_PRIVILEGES',
    sql: () => ['ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC'],
  },
  {
    what: 'default privileges in the schema',
    code: 'VERIFY_DEFAULT_PRIVILEGES',
    sql: (s) => [`ALTER DEFAULT PRIVILEGES IN SCHEMA ${s} GRANT SELECT ON TABLES TO PUBLIC`],
  },
  {
    what: 'a setting on its login',
    code: 'VERIFY_ROLE_SETTING',
    sql: () => ['ALTER ROLE CURRENT_USER SET search_path = public'],
  },
  {
    what: 'a setting on its login in this database',
    code: 'VERIFY_ROLE_SETTING',
    sql: () => ['ALTER ROLE CURRENT_USER IN DATABASE prod SET statement_timeout = 0'],
  },
  {
    what: 'its statement_timeout lifted',
    code: 'VERIFY_ROLE_SETTING',
    sql: () => ['ALTER ROLE CURRENT_USER SET statement_timeout = 0'],
  },
  {
    what: 'a trigger',
    code: 'VERIFY_TRIGGER',
    sql: (s) => [
      `CREATE TRIGGER t BEFORE UPDATE ON ${s}.flights FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()`,
    ],
  },
  { what: 'a rule', code: 'VERIFY_RULE', sql: (s) => [`CREATE RULE r AS ON UPDATE TO ${s}.flights DO INSTEAD NOTHING`] },
  { what: 'a rule on a view', code: 'VERIFY_RULE', sql: (s) => [`CREATE RULE r AS ON INSERT TO ${s}.staged DO INSTEAD NOTHING`] },
  {
    what: 'a row policy',
    code: 'VERIFY_RLS',
    sql: (s) => [
      `ALTER TABLE ${s}.flights ENABLE ROW LEVEL SECURITY`,
      `CREATE POLICY p ON ${s}.flights USING (pg_try_advisory_lock(4242))`,
    ],
  },
  {
    what: 'row security without a policy',
    code: 'VERIFY_RLS',
    sql: (s) => [`ALTER TABLE ${s}.flights FORCE ROW LEVEL SECURITY`],
  },
  {
    what: 'a volatile default',
    code: 'VERIFY_DEFAULT',
    sql: (s) => [`ALTER TABLE ${s}.flights ALTER COLUMN tail SET DEFAULT pg_backend_pid()::text`],
  },
  {
    what: 'a generated column',
    code: 'VERIFY_DEFAULT',
    sql: (s) => [`ALTER TABLE ${s}.flights ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED`],
  },
  {
    what: 'an identity column',
    code: 'VERIFY_DEFAULT',
    sql: (s) => [`ALTER TABLE ${s}.flights ADD COLUMN seq int GENERATED ALWAYS AS IDENTITY`],
  },
  { what: 'a check', code: 'VERIFY_CONSTRAINT', sql: (s) => [`ALTER TABLE ${s}.flights ADD CHECK (pg_backend_pid() > 0)`] },
  {
    what: 'a reference that deletes published rows',
    code: 'VERIFY_CONSTRAINT',
    sql: (s) => [
      `CREATE TABLE ${s}.parent (id int PRIMARY KEY)`,
      `INSERT INTO ${s}.parent SELECT id FROM ${s}.flights`,
      `ALTER TABLE ${s}.flights ADD FOREIGN KEY (id) REFERENCES ${s}.parent ON DELETE CASCADE`,
    ],
  },
  { what: 'an inheriting child', code: 'VERIFY_INHERITANCE', sql: (s) => [`CREATE TABLE ${s}.child () INHERITS (${s}.flights)`] },
  {
    what: 'an index on an expression',
    code: 'VERIFY_INDEX_EXPRESSION',
    sql: (s) => [`CREATE INDEX ON ${s}.flights (lower(origin))`],
  },
  {
    what: 'an index with a predicate',
    code: 'VERIFY_INDEX_EXPRESSION',
    sql: (s) => [`CREATE INDEX ON ${s}.flights (id) WHERE origin = 'A'`],
  },
  { what: 'a grant to everybody', code: 'VERIFY_GRANTED', sql: (s) => [`GRANT SELECT ON ${s}.flights TO PUBLIC`] },
  { what: 'a grant on a column', code: 'VERIFY_GRANTED', sql: (s) => [`GRANT SELECT (origin) ON ${s}.flights TO PUBLIC`] },
  { what: 'a grant on a view', code: 'VERIFY_GRANTED', sql: (s) => [`GRANT SELECT ON ${s}.staged TO PUBLIC`] },
  { what: 'an unlogged table', code: 'VERIFY_UNLOGGED', sql: (s) => [`ALTER TABLE ${s}.flights SET UNLOGGED`] },
  {
    what: 'a port that is a view',
    code: 'VERIFY_PORT_NOT_A_TABLE',
    sql: (s) => [`DROP TABLE ${s}.flights`, `CREATE VIEW ${s}.flights AS SELECT * FROM ${s}.staged`],
  },
  { what: 'a port that is missing', code: 'VERIFY_PORT_MISSING', sql: (s) => [`DROP TABLE ${s}.flights`] },
  { what: 'a column that is missing', code: 'VERIFY_COLUMN_MISSING', sql: (s) => [`ALTER TABLE ${s}.flights DROP COLUMN tail`] },
  {
    what: 'a column of another type',
    code: 'VERIFY_COLUMN_TYPE',
    sql: (s) => [`ALTER TABLE ${s}.flights ALTER COLUMN id TYPE text`],
  },
  {
    what: 'a column of another physical type',
    code: 'VERIFY_COLUMN_TYPE',
    sql: (s) => [`ALTER TABLE ${s}.flights ALTER COLUMN origin TYPE varchar(20)`],
    objects: [{ ...FLIGHTS, columns: [column('origin', 'string', { physicalType: 'varchar(10)' })] }],
  },
]

for (const { what, sql, code, objects = [FLIGHTS] } of PLANTINGS)
  test(`${what} is found and nothing moves`, async () => {
    const { build } = product.names
    await product.nextRun()
    await buildAs(world, product, [...cleanBuild(build), ...sql(build)])
    const { findings, revision } = await world.warehouse.seal({ place: product.place, n: 2, objects, context: product.context() })
    assert.equal(revision, null)
    assert.ok(
      findings.some((finding) => finding.code === code),
      `found ${findings.map((finding) => finding.code).join(', ') || 'nothing'}`,
    )
    const admin = await world.superuser('prod')
    const { rows } = await admin.query<{ n: number }>(`SELECT count(*)::int AS n FROM pg_namespace WHERE nspname = $1`, [
      product.names.revision(2),
    ])
    assert.equal(rows[0]!.n, 0)
    const locks = await admin.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242`)
    assert.equal(locks.rowCount, 0, 'somebody evaluated what was planted')
    await admin.end()
  })

test('a physical type that fits passes, and after every planting a clean run seals: nothing planted stays', async () => {
  const objects = [{ ...FLIGHTS, columns: [column('origin', 'string', { physicalType: 'varchar(10)' })] }]
  const extra = [
    `ALTER TABLE ${product.names.build}.flights ALTER COLUMN origin TYPE varchar(10)`,
    `CREATE UNIQUE INDEX ON ${product.names.build}.flights (id)`,
  ]
  await deploy(world, product, 2, { extra, objects, columns: ['origin'] })
  const [served] = await world.warehouse.served(product.place)
  assert.equal(served?.revision, 2)
})

test('a session of the service that is still open is ended before the seal', async () => {
  await product.nextRun()
  const pass = await world.warehouse.openService({ place: product.place, validMs: 60_000, context: product.context() })
  const client = await world.login(pass)
  for (const statement of cleanBuild(product.names.build)) await client.query(statement)
  await client.query('BEGIN')
  await client.query(`LOCK TABLE ${product.names.build}.flights IN ACCESS EXCLUSIVE MODE`)
  const { findings, revision } = await world.warehouse.seal({
    place: product.place,
    n: 3,
    objects: [FLIGHTS],
    context: product.context(),
  })
  assert.deepEqual(findings, [])
  assert.equal(revision?.objects[0]?.rows, 9)
  await assert.rejects(client.query('SELECT 1'))
})
