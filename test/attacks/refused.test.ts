import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type pg from 'pg'
import { consume, deploy, makeProduct, openWorld, type Product, stateOf, type World } from './world.ts'

// What PostgreSQL itself must refuse, by SQLSTATE: to the service login (inside dbt it may run any SQL), and to a consumer.
let world: World
let product: Product
let other: Product
let service: pg.Client
let consumer: pg.Client

before(async () => {
  world = await openWorld()
  product = await makeProduct(world, { product: 'mine' })
  other = await makeProduct(world, { product: 'theirs' })
  await deploy(world, other, 1)
  await deploy(world, product, 1, { extra: [`ALTER TABLE ${product.names.build}.flights ADD PRIMARY KEY (id)`] })
  consumer = await consume(world, product, 'carol')
  await product.nextRun()
  const pass = await world.warehouse.openService({ place: product.place, validMs: 600_000, context: product.context() })
  service = await world.login(pass)
  await service.query(`CREATE TABLE ${pass.schema}.own (id int)`)
})
after(() => world.dispose())

const DENIED = '42501'
const SERVICE: [what: string, sql: string, state: string][] = [
  ['a function in sql', 'CREATE FUNCTION air_mine__build.f() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$', DENIED],
  [
    'a function in plpgsql',
    'CREATE FUNCTION air_mine__build.f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$',
    DENIED,
  ],
  ['a function in internal', `CREATE FUNCTION air_mine__build.f(text) RETURNS text LANGUAGE internal AS 'pg_read_file'`, DENIED],
  ['a function in c', `CREATE FUNCTION air_mine__build.f() RETURNS int LANGUAGE c AS 'libc', 'system'`, DENIED],
  ['a procedure', 'CREATE PROCEDURE air_mine__build.f() LANGUAGE sql AS $$ SELECT 1 $$', DENIED],
  ['DO', 'DO $$ BEGIN NULL; END $$', DENIED],
  ['an extension', 'CREATE EXTENSION pg_trgm SCHEMA air_mine__build', DENIED],
  ['a language', 'CREATE LANGUAGE plperl', DENIED],
  ['a cast on built-in types', 'CREATE CAST (text AS int) WITH INOUT', '42501'],
  ['an operator class', 'CREATE OPERATOR CLASS air_mine__build.c FOR TYPE int USING btree AS STORAGE int', DENIED],
  ['an event trigger', 'CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION suppress_redundant_updates_trigger()', DENIED],
  ['a publication', 'CREATE PUBLICATION p', DENIED],
  ['a subscription', `CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p WITH (connect = false)`, DENIED],
  ['a foreign server', 'CREATE FOREIGN DATA WRAPPER w', DENIED],
  ['a tablespace', `CREATE TABLESPACE t LOCATION '/tmp/nowhere'`, DENIED],
  ['a database', 'CREATE DATABASE d', DENIED],
  ['a role', 'CREATE ROLE r', DENIED],
  ['a schema', 'CREATE SCHEMA s', DENIED],
  ['a table in public', 'CREATE TABLE public.t (id int)', DENIED],
  ['a table in its private schema', 'CREATE TABLE air_mine.t (id int)', DENIED],
  ['a table among sealed ones', 'CREATE TABLE air_mine__r1.t (id int)', DENIED],
  ['becoming the keeper', 'SET ROLE prod__air__mine__keeper', DENIED],
  ['becoming the provisioner', 'SET ROLE heddle_provisioner', DENIED],
  ['becoming the superuser by function', `SELECT set_config('role', 'postgres', false)`, DENIED],
  ['another session user', 'SET SESSION AUTHORIZATION postgres', DENIED],
  ['granting a role', 'GRANT prod__air__mine__keeper TO prod__air__mine__service', DENIED],
  ['granting its own role', 'GRANT prod__air__mine__service TO prod__air__mine__prober', DENIED],
  ['lasting longer', `ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'`, DENIED],
  ['more connections', 'ALTER ROLE CURRENT_USER CONNECTION LIMIT -1', DENIED],
  ['COPY to a program', `COPY air_mine__build.own TO PROGRAM 'cat'`, DENIED],
  ['COPY from a file', `COPY air_mine__build.own FROM '/etc/passwd'`, DENIED],
  ['reading a file', `SELECT pg_read_file('/etc/passwd')`, DENIED],
  ['listing a folder', `SELECT pg_ls_dir('.')`, DENIED],
  ['importing a file', `SELECT lo_import('/etc/passwd')`, DENIED],
  ['a large object', 'SELECT lo_create(0)', DENIED],
  ['passwords', 'SELECT rolpassword FROM pg_authid', DENIED],
  ['shadow passwords', 'SELECT passwd FROM pg_shadow', DENIED],
  ['log-in rules', 'SELECT * FROM pg_hba_file_rules', DENIED],
  ['SQL in a text', `SELECT query_to_xml('SELECT 1', true, true, '')`, DENIED],
  ['SQL in a text by name', `SELECT table_to_xml('air_theirs_data_v1.flights', true, true, '')`, '42501'],
  ['SQL in a text search', `SELECT ts_stat('SELECT to_tsvector(''x'')')`, DENIED],
  ['SQL in a rewrite', `SELECT ts_rewrite('a'::tsquery, 'SELECT ''a''::tsquery, ''b''::tsquery')`, DENIED],
  ['telling listeners by function', `SELECT pg_notify('leak', 'x')`, DENIED],
  ['temp_file_limit', 'SET temp_file_limit = -1', DENIED],
  ['log_statement', `SET log_statement = 'none'`, DENIED],
  ['session_replication_role', `SET session_replication_role = replica`, DENIED],
  ['a replication slot', `SELECT pg_create_physical_replication_slot('s')`, DENIED],
  [
    'ending others',
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'heddle_provisioner' LIMIT 1`,
    DENIED,
  ],
  ['dropping the build schema', 'DROP SCHEMA air_mine__build CASCADE', DENIED],
  ['renaming the build schema', 'ALTER SCHEMA air_mine__build RENAME TO mine', DENIED],
  ['granting use of the build schema', 'ALTER SCHEMA air_mine__build OWNER TO CURRENT_USER', DENIED],
  ['locking a sealed table', 'BEGIN; LOCK TABLE air_mine__r1.flights IN ACCESS EXCLUSIVE MODE', DENIED],
  ['writing a sealed table', 'DELETE FROM air_mine__r1.flights', DENIED],
  ['a child of a sealed table', 'CREATE TABLE air_mine__build.child () INHERITS (air_mine__r1.flights)', DENIED],
  ['a reference to a sealed table', 'CREATE TABLE air_mine__build.child (id int REFERENCES air_mine__r1.flights (id))', DENIED],
  ['an index on a sealed table', 'CREATE INDEX ON air_mine__r1.flights (id)', DENIED],
  ['a batch', 'SELECT * FROM air_mine.flights__b1', '42P01'],
  ['the platform’s schema', 'SELECT * FROM heddle.attribute', DENIED],
  ['the platform’s functions', `SELECT heddle.become_keeper('00000000-0000-0000-0000-000000000000', 'x')`, DENIED],
  ['mask keys', 'SELECT * FROM heddle.mask_key', DENIED],
  ['another product, served', 'SELECT * FROM air_theirs_data_v1.flights', DENIED],
  ['another product, sealed', 'SELECT * FROM air_theirs__r1.flights', DENIED],
  ['another product, staging', 'SELECT * FROM air_theirs.anything', DENIED],
  ['another product, build', 'SELECT * FROM air_theirs__build.anything', DENIED],
  [
    'a generated column with a volatile function',
    'CREATE TABLE air_mine__build.g (id int, r float GENERATED ALWAYS AS (random()) STORED)',
    '42P17',
  ],
]

for (const [what, sql, state] of SERVICE)
  test(`the service is refused ${what}`, async () => {
    const found = await stateOf(service, sql)
    await service.query('ROLLBACK')
    assert.equal(found, state)
  })

test('a prepared transaction cannot outlive the service', async () => {
  await service.query('BEGIN')
  await service.query('CREATE TABLE air_mine__build.pending (id int)')
  // max_prepared_transactions is 0
  assert.equal(await stateOf(service, `PREPARE TRANSACTION 'later'`), '55000')
  await service.query('ROLLBACK')
})

test('no other database opens to the service', async () => {
  const pass = await world.warehouse.openService({ place: product.place, validMs: 600_000, context: product.context() })
  for (const database of ['postgres', 'template1'])
    await assert.rejects(
      world.login(pass, database),
      (error: pg.DatabaseError) => error.code === DENIED || error.code === '55000',
      database,
    )
})

const CONSUMER: [what: string, sql: string, state: string][] = [
  ['the sealed table', 'SELECT * FROM air_mine__r1.flights', DENIED],
  ['the build schema', 'SELECT * FROM air_mine__build.own', DENIED],
  ['the private schema', 'SELECT * FROM air_mine.anything', DENIED],
  ['another product', 'SELECT * FROM air_theirs_data_v1.flights', DENIED],
  ['the guard by name', `SELECT heddle.seen('air_mine_data_v1', 1)`, DENIED],
  ['attributes', 'SELECT * FROM heddle.attribute', DENIED],
  ['a temporary table', 'CREATE TEMP TABLE t (id int)', DENIED],
  ['a table in public', 'CREATE TABLE public.t (id int)', DENIED],
  ['a schema', 'CREATE SCHEMA s', DENIED],
  ['DO', 'DO $$ BEGIN NULL; END $$', DENIED],
  ['becoming the service', 'SET ROLE prod__air__mine__service', DENIED],
  ['becoming the port’s role', 'SET ROLE prod__air_mine_data_v1__read', DENIED],
  ['writing through the view', 'DELETE FROM air_mine_data_v1.flights', DENIED],
  ['a longer life', `ALTER ROLE CURRENT_USER VALID UNTIL 'infinity'`, DENIED],
]

for (const [what, sql, state] of CONSUMER)
  test(`a consumer is refused ${what}`, async () => {
    assert.equal(await stateOf(consumer, sql), state)
  })

test('what the service may do is what dbt needs', async () => {
  const pass = await world.warehouse.openService({ place: product.place, validMs: 600_000, context: product.context() })
  const client = await world.login(pass)
  for (const sql of [
    `CREATE TABLE ${pass.schema}.flights__dbt_tmp AS SELECT 1 AS id`,
    `CREATE TEMPORARY TABLE incoming AS SELECT 2 AS id`,
    `INSERT INTO ${pass.schema}.flights__dbt_tmp SELECT * FROM incoming`,
    `ALTER TABLE ${pass.schema}.flights__dbt_tmp RENAME TO flights`,
    `CREATE INDEX ON ${pass.schema}.flights (id)`,
    `SELECT count(*) FROM air_mine__r1.flights`,
    `DROP TABLE ${pass.schema}.flights CASCADE`,
  ])
    assert.equal(await stateOf(client, sql), 'none', sql)
})

test('the provisioner reads nothing without the explicit act', async () => {
  const client = await world.login({ user: 'heddle_provisioner', password: 'provisioner-of-tests' })
  for (const sql of [
    'SELECT * FROM air_mine__r1.flights',
    'SELECT * FROM air_mine_data_v1.flights',
    'SET ROLE prod__air__mine__keeper',
    'GRANT prod__air__mine__keeper TO heddle_provisioner',
    'GRANT pg_read_all_data TO heddle_provisioner',
    'SELECT * FROM heddle.mask_key',
    'SELECT * FROM heddle.borrowed',
    'ALTER ROLE heddle_provisioner SUPERUSER',
  ])
    assert.equal(await stateOf(client, sql), DENIED, sql)
})

test('a grant by the service reaches nobody: consumers lack the schema, which the service cannot grant', async () => {
  const pass = await world.warehouse.openService({ place: product.place, validMs: 600_000, context: product.context() })
  const client = await world.login(pass)
  await client.query(`CREATE TABLE ${pass.schema}.flights AS SELECT 1 AS id`)
  await client.query(`GRANT ALL ON ${pass.schema}.flights TO PUBLIC`)
  await client.query(`GRANT USAGE ON SCHEMA ${pass.schema} TO PUBLIC`)
  assert.equal(await stateOf(consumer, `SELECT FROM ${pass.schema}.flights`), DENIED)
})
