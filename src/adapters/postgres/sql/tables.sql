-- Schema `heddle` of one environment's database: what changes with the data. Owned by the bootstrap superuser; repeatable.
CREATE SCHEMA IF NOT EXISTS heddle;

-- `incarnation` changes when the database is a restored copy, so that its outbox keys are new ones.
CREATE TABLE IF NOT EXISTS heddle.environment (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  name text NOT NULL,
  incarnation uuid NOT NULL,
  system_identifier text NOT NULL,
  timeline integer NOT NULL
);

-- The registry: which names belong to which product. `base` is its private schema. `pass_*` says which run holds the service login.
CREATE TABLE IF NOT EXISTS heddle.product (
  id uuid PRIMARY KEY,
  domain text NOT NULL,
  name text NOT NULL,
  base text NOT NULL UNIQUE,
  service text NOT NULL UNIQUE,
  pass_lane text,
  pass_epoch bigint,
  pass_run text,
  made_at timestamptz NOT NULL DEFAULT now(),
  UNIQUE (domain, name)
);

-- Keepers are made by the superuser's function only, so that the provisioner holds no ADMIN on them.
CREATE TABLE IF NOT EXISTS heddle.keeper (role text PRIMARY KEY, product uuid NOT NULL UNIQUE);

CREATE TABLE IF NOT EXISTS heddle.budget (
  domain text PRIMARY KEY,
  connections integer NOT NULL,
  statement_ms bigint NOT NULL,
  temp_file_bytes bigint NOT NULL
);

-- Every login the platform made, and whose budget it spends. `holder` is a subject's name or a product's UUID. A reader is a subject's second login, through
-- which the HTTP data port reads for it: a member of the subject's own, with the same attributes.
CREATE TABLE IF NOT EXISTS heddle.login (
  role text PRIMARY KEY,
  kind text NOT NULL CHECK (kind IN ('subject', 'reader', 'service', 'prober')),
  holder text NOT NULL,
  domain text
);
DO $$ BEGIN
  -- made before there were readers
  IF pg_get_constraintdef((SELECT oid FROM pg_constraint WHERE conrelid = 'heddle.login'::regclass AND conname = 'login_kind_check')) NOT LIKE '%reader%' THEN
    ALTER TABLE heddle.login DROP CONSTRAINT login_kind_check;
    ALTER TABLE heddle.login ADD CONSTRAINT login_kind_check CHECK (kind IN ('subject', 'reader', 'service', 'prober'));
  END IF;
END $$;

-- Owners named by the spec are converged; owners granted by request are left alone by that.
CREATE TABLE IF NOT EXISTS heddle.owner (
  product uuid NOT NULL,
  login text NOT NULL,
  by_spec boolean NOT NULL DEFAULT false,
  by_request boolean NOT NULL DEFAULT false,
  PRIMARY KEY (product, login)
);

CREATE TABLE IF NOT EXISTS heddle.lease (
  product uuid NOT NULL,
  lane text NOT NULL,
  epoch bigint NOT NULL,
  run text NOT NULL,
  taken_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (product, lane)
);

-- One row per effect: written in the effect's own transaction, so it says what happened and never less or more.
CREATE TABLE IF NOT EXISTS heddle.applied (
  run text NOT NULL,
  step text NOT NULL,
  verb text NOT NULL,
  key text NOT NULL,
  product uuid NOT NULL,
  lane text NOT NULL,
  epoch bigint NOT NULL,
  result jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (run, step, verb, key)
);

CREATE TABLE IF NOT EXISTS heddle.batch (
  product uuid NOT NULL,
  source text NOT NULL,
  n integer NOT NULL,
  component text NOT NULL,
  relation text NOT NULL,
  rows bigint NOT NULL,
  sealed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (product, source, n)
);

-- Sealed revisions of the data.
CREATE TABLE IF NOT EXISTS heddle.sealed (
  product uuid NOT NULL,
  n integer NOT NULL,
  objects jsonb NOT NULL,
  sealed_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (product, n)
);

-- Served schemas: `n` is the publication's number, which only grows; `revision` is the data below it. `port` is the live schema's name.
CREATE TABLE IF NOT EXISTS heddle.served (
  port text NOT NULL,
  n integer NOT NULL,
  product uuid NOT NULL,
  port_name text NOT NULL,
  major integer NOT NULL,
  revision integer NOT NULL,
  state text NOT NULL CHECK (state IN ('built', 'live', 'demoted')),
  objects jsonb NOT NULL,
  built_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (port, n)
);
CREATE UNIQUE INDEX IF NOT EXISTS served_live ON heddle.served (port) WHERE state = 'live';

-- What was published when: the row the guard looks for.
CREATE TABLE IF NOT EXISTS heddle.revision (
  port text NOT NULL,
  n integer NOT NULL,
  product uuid NOT NULL,
  revision integer NOT NULL,
  release text NOT NULL,
  published_at timestamptz NOT NULL,
  PRIMARY KEY (port, n)
);

CREATE TABLE IF NOT EXISTS heddle.outbox (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind text NOT NULL,
  product uuid NOT NULL,
  payload jsonb NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  acknowledged_at timestamptz
);
CREATE INDEX IF NOT EXISTS outbox_open ON heddle.outbox (id) WHERE acknowledged_at IS NULL;

-- What row filters and masks read of the reader.
CREATE TABLE IF NOT EXISTS heddle.attribute (role name NOT NULL, name text NOT NULL, vals text[] NOT NULL, PRIMARY KEY (role, name));

-- HMAC-SHA256 pads, one pair per domain: masked keys join inside a domain and nowhere else.
CREATE TABLE IF NOT EXISTS heddle.mask_key (domain text PRIMARY KEY, inner_pad bytea NOT NULL, outer_pad bytea NOT NULL);

-- The verifier a person holds while a proof borrows that login.
CREATE TABLE IF NOT EXISTS heddle.borrowed (
  login text PRIMARY KEY,
  lent text NOT NULL,
  verifier text,
  can_login boolean NOT NULL,
  valid_until text,
  connections integer NOT NULL,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Each port and major has one function that its served views call: how reads are counted. `queryid` is what the server's statistics call the statement
-- inside it; `since`: when the first publication that counts was switched in; `readers`: the role that may read the port.
CREATE TABLE IF NOT EXISTS heddle.counter (
  port text PRIMARY KEY,
  product uuid NOT NULL,
  port_name text NOT NULL,
  major integer NOT NULL,
  readers text NOT NULL,
  since timestamptz,
  queryid bigint
);

-- Reads by the day (UTC) of the sample that saw them. These are sums, so whoever copies them twice has them once.
CREATE TABLE IF NOT EXISTS heddle.usage (
  port text NOT NULL,
  reader text NOT NULL,
  day date NOT NULL,
  reads bigint NOT NULL,
  last_read_at timestamptz NOT NULL,
  PRIMARY KEY (port, reader, day)
);
CREATE INDEX IF NOT EXISTS usage_recent ON heddle.usage (last_read_at);

-- What the server's statistics said at the last sample. An entry that was made anew has another `stats_since` and counts from zero.
CREATE TABLE IF NOT EXISTS heddle.usage_seen (
  userid oid NOT NULL,
  queryid bigint NOT NULL,
  stats_since timestamptz NOT NULL,
  calls bigint NOT NULL,
  PRIMARY KEY (userid, queryid)
);
CREATE TABLE IF NOT EXISTS heddle.usage_sample (
  single boolean PRIMARY KEY DEFAULT true CHECK (single),
  at timestamptz,
  counting_since timestamptz,
  obstacle text,
  stats_reset timestamptz,
  dealloc bigint,
  server_started timestamptz
);
-- Times of which reads may be missing.
CREATE TABLE IF NOT EXISTS heddle.usage_gap (from_at timestamptz PRIMARY KEY, to_at timestamptz NOT NULL, why text NOT NULL);
