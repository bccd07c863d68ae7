-- What was measured, what follows from it, and who was told.

alter table monitor add column since timestamptz not null default now();
-- When the updates of a publication were judged; null: not yet.
alter table publication add column observed_at timestamptz;
create index publication_unobserved on publication (at) where observed_at is null;

-- One row for each monitor and slice. For completeness a slice is an update: slice_start is the moment of its publication.
-- value: rows (or their change) for completeness, age in seconds for freshness. problem: an error code, never a row's value.
create table observation (
  monitor     uuid not null references monitor (id) on delete cascade,
  slice_start timestamptz not null,
  outcome     text not null check (outcome in ('good', 'bad', 'error', 'missing', 'excluded')),
  value       bigint,
  observed_at timestamptz,
  recorded_at timestamptz not null default clock_timestamp(),
  run         uuid,
  replayed    boolean not null default false,
  problem     text,
  primary key (monitor, slice_start)
);

-- The newest verdict of each monitor. due_at: when it may change without a new observation; measuring sets it to "now".
create table evaluation (
  monitor     uuid primary key references monitor (id) on delete cascade,
  at          timestamptz not null,
  due_at      timestamptz not null,
  state       text not null check (state in ('met', 'at-risk', 'breached', 'gathering', 'no-data', 'not-evaluated', 'paused')),
  -- since when the state is this one
  since       timestamptz not null,
  verdict     jsonb not null
);
create index evaluation_due on evaluation (due_at);
create index evaluation_at on evaluation (at desc);

-- Hours in which the control plane was stopped on purpose: they are excluded. After a crash there is no row, and the hours are not evaluated.
create table planned_stop (
  id          uuid primary key,
  began_at    timestamptz not null,
  ended_at    timestamptz
);

-- key: product, environment and service level; one open incident for each. product is null for the platform's own.
create table incident (
  id          uuid primary key,
  number      bigint generated always as identity unique,
  key         text not null,
  product     uuid references product (id),
  environment text,
  slo         text not null,
  monitor     uuid references monitor (id) on delete set null,
  state       text not null check (state in ('open', 'acknowledged', 'resolved')),
  severity    text not null check (severity in ('page', 'ticket')),
  cause       jsonb not null,
  opened_at   timestamptz not null,
  acknowledged_at timestamptz,
  acknowledged_by text,
  resolved_at timestamptz
);
create unique index incident_open on incident (key) where state <> 'resolved';
create index incident_product on incident (product, number desc);

-- A message about a change of state, for one receiver. The key makes it one, however often the change is looked at.
create table notification (
  id          uuid primary key,
  key         text not null unique,
  product     uuid references product (id),
  environment text,
  incidents   uuid[] not null,
  change      text not null check (change in ('opened', 'resolved')),
  receiver    text not null,
  destination jsonb not null,
  message     jsonb not null,
  attempts    integer not null default 0,
  next_try    timestamptz not null,
  delivered_at timestamptz,
  given_up_at timestamptz,
  problem     text,
  created_at  timestamptz not null default clock_timestamp()
);
create index notification_due on notification (next_try) where delivered_at is null and given_up_at is null;
create index notification_incident on notification using gin (incidents);
