-- The control plane's own state. Data and everything that changes with it live in each environment's database, schema heddle.

create table mesh (
  version     bigint generated always as identity primary key,
  document    jsonb not null,
  hash        text not null,
  applied_at  timestamptz not null default now()
);

create table subject (
  id          uuid primary key,
  name        text not null unique,
  kind        text not null check (kind in ('user', 'group', 'service')),
  title       text not null,
  email       text,
  domain      text,
  groups      text[] not null default '{}',
  attributes  jsonb not null default '{}',
  sample      boolean not null default false,
  disabled_at timestamptz
);

-- Only hashes: a token is shown once.
create table token (
  id          uuid primary key,
  subject     text not null references subject (name),
  kind        text not null check (kind in ('session', 'once', 'git', 'service')),
  hash        text not null unique,
  product     uuid,
  expires_at  timestamptz not null,
  used_at     timestamptz,
  revoked_at  timestamptz
);

create table domain (
  name        text primary key,
  title       text not null,
  owners      text[] not null,
  budget      jsonb not null
);

create table product (
  id          uuid primary key,
  domain      text not null references domain (name),
  name        text not null,
  title       text not null,
  owner       text not null,
  state       text not null check (state in ('draft', 'active', 'retired')),
  -- number of the OS user its jobs run as, added to a base; never reused
  uid         integer generated always as identity,
  created_at  timestamptz not null default now(),
  unique (domain, name)
);

create table request (
  id          uuid primary key,
  number      bigint generated always as identity unique,
  kind        text not null check (kind in ('product', 'domain', 'access', 'retire', 'restore')),
  payload     jsonb not null,
  by          text not null,
  state       text not null check (state in ('draft', 'submitted', 'approved', 'denied', 'withdrawn', 'done', 'failed')),
  approvers   text[] not null default '{}',
  approvals   jsonb not null default '[]',
  run         uuid,
  created_at  timestamptz not null default now(),
  updated_at  timestamptz not null default now()
);

create table plan (
  id          uuid primary key,
  kind        text not null,
  product     uuid not null,
  environment text not null,
  world_hash  text not null,
  steps       jsonb not null,
  affected    jsonb not null default '[]',
  created_at  timestamptz not null default now()
);

-- Every claim of a run takes the next number. One row of numbers for all runs: a lane's later run must outrank the earlier one in the warehouse's fence,
-- however often that one was resumed.
create sequence run_epoch;

-- Run rows are the queue and the truth.
create table run (
  id          uuid primary key,
  number      bigint generated always as identity unique,
  kind        text not null check (kind in ('bootstrap', 'deploy', 'refresh', 'promote', 'rollback', 'retire', 'restore', 'roll-out', 'grant', 'revoke', 'undo')),
  product     uuid not null references product (id),
  environment text not null,
  lane        text not null,
  plan        uuid not null references plan (id),
  state       text not null check (state in ('waiting', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'superseded', 'denied')),
  by          text not null,
  because     text not null,
  commit_id   text,
  detail      jsonb not null default '{}',
  approvers   text[] not null default '{}',
  approvals   jsonb not null default '[]',
  epoch       bigint not null default 0,
  owner       text,
  lease_until timestamptz,
  cancel_by   text,
  problem     jsonb,
  created_at  timestamptz not null default clock_timestamp(),
  started_at  timestamptz,
  ended_at    timestamptz
);
-- One active run per product, environment and lane: the database says so, not a check in code.
create unique index run_active on run (product, environment, lane) where state = 'running';
create index run_queue on run (number) where state in ('queued', 'running');
create index run_product on run (product, number desc);

create table step (
  run         uuid not null references run (id),
  id          text not null,
  ordinal     integer not null,
  stage       text not null,
  command     text not null,
  address     text not null,
  title       text not null,
  args        jsonb not null,
  depends_on  text[] not null default '{}',
  risk        text not null check (risk in ('safe', 'disruptive', 'destructive')),
  because     text not null,
  state       text not null default 'pending' check (state in ('pending', 'running', 'succeeded', 'failed', 'skipped', 'cancelled')),
  attempt     integer not null default 0,
  epoch       bigint,
  started_at  timestamptz,
  ended_at    timestamptz,
  result      jsonb,
  problem     jsonb,
  primary key (run, id)
);

create table event (
  id          bigint generated always as identity primary key,
  run         uuid not null references run (id),
  step        text,
  at          timestamptz not null default clock_timestamp(),
  kind        text not null,
  data        jsonb not null
);
create index event_run on event (run, id);

create table release (
  id          uuid primary key,
  product     uuid not null references product (id),
  environment text not null,
  number      integer not null,
  label       text not null,
  commit_id   text not null,
  content     text not null,
  spec        jsonb not null,
  spec_hash   text not null,
  revision    integer not null,
  run         uuid not null unique references run (id),
  current     boolean not null,
  at          timestamptz not null default now(),
  unique (product, environment, number)
);
create unique index release_current on release (product, environment) where current;

-- What we own, one row per resource: a deploy compares hashes instead of asking every system.
create table inventory (
  environment text not null,
  address     text not null,
  product     uuid,
  kind        text not null,
  input_hash  text not null,
  observed    jsonb not null,
  generation  integer not null default 1,
  run         uuid not null,
  updated_at  timestamptz not null default now(),
  primary key (environment, address)
);
create index inventory_product on inventory (product, environment);

create table batch (
  id          uuid primary key,
  product     uuid not null references product (id),
  environment text not null,
  component   text not null,
  table_name  text not null,
  relation    text not null,
  rows        bigint not null,
  bytes       bigint not null,
  sha256      text not null,
  run         uuid not null,
  sealed_at   timestamptz not null default now(),
  unique (run, component, table_name)
);

-- One row for each publication event drained from an environment's outbox; its id is that environment's, so draining twice changes nothing.
create table publication (
  id          text primary key,
  product     uuid not null,
  environment text not null,
  payload     jsonb not null,
  at          timestamptz not null
);
create index publication_product on publication (product, environment, at desc);

create table agreement (
  id          uuid primary key,
  number      bigint generated always as identity unique,
  request     uuid not null references request (id) unique,
  product     uuid not null references product (id),
  environment text not null,
  port        text not null,
  major       integer not null,
  offer       text not null,
  terms       jsonb not null,
  terms_hash  text not null,
  subject     text not null references subject (name),
  purpose     text not null,
  state       text not null check (state in ('requested', 'approved', 'applying', 'active', 'expiring', 'expired', 'revoked', 'denied', 'withdrawn', 'failed')),
  starts_at   timestamptz,
  ends_at     timestamptz not null,
  ended_because text,
  updated_at  timestamptz not null default now()
);
create index agreement_product on agreement (product, environment, port, major);
create index agreement_due on agreement (ends_at) where state in ('active', 'expiring');

create table evidence (
  id          uuid primary key,
  agreement   uuid not null references agreement (id),
  run         uuid not null,
  expect      text not null check (expect in ('granted', 'revoked')),
  proofs      jsonb not null,
  at          timestamptz not null default now(),
  unique (run, agreement, expect)
);

create table community (domain text primary key references domain (name), title text not null, created_at timestamptz not null default now());
create table entry (
  product     uuid primary key references product (id),
  community   text not null references community (domain),
  state       text not null check (state in ('draft', 'listed', 'delisted')),
  document    jsonb not null,
  metadata    jsonb not null default '{}',
  metrics     jsonb not null default '{}',
  run         uuid not null,
  updated_at  timestamptz not null default now()
);

create table namespace (domain text primary key references domain (name), created_at timestamptz not null default now());
create table monitor (
  id          uuid primary key,
  product     uuid not null references product (id),
  environment text not null,
  namespace   text not null references namespace (domain),
  port        text not null,
  object      text not null,
  kind        text not null check (kind in ('availability', 'completeness', 'freshness')),
  level       jsonb not null,
  run         uuid not null,
  unique (product, environment, port, object, kind)
);

-- Last commit of main a push was handled for, so that a crash between the ref update and our answer loses nothing.
create table handled_push (product uuid primary key references product (id), commit_id text not null, at timestamptz not null default now());

-- Append-only and chained: each row's hash covers the row before. body is kept as the exact text that was hashed.
create table audit (
  seq         bigint generated always as identity primary key,
  at          timestamptz not null default clock_timestamp(),
  body        text not null,
  previous    text not null,
  hash        text not null
);
create rule audit_no_update as on update to audit do instead nothing;
create rule audit_no_delete as on delete to audit do instead nothing;
