-- What runs by itself, and what each run read of other products.

-- Which publication of an upstream port a run read: pinned at its start.
create table reading (
  run         uuid not null references run (id),
  input       text not null,
  product     uuid not null references product (id),
  environment text not null,
  upstream    uuid not null references product (id),
  port        text not null,
  major       integer not null,
  publication integer not null,
  revision    integer not null,
  at          timestamptz not null default clock_timestamp(),
  primary key (run, input)
);
create index reading_product on reading (product, environment, at desc);
create index reading_upstream on reading (upstream, environment, port, major);

-- The ports of each publication event, to ask "is there anything newer than n".
create table published_port (
  product     uuid not null references product (id),
  environment text not null,
  port        text not null,
  major       integer not null,
  publication integer not null,
  revision    integer not null,
  at          timestamptz not null,
  primary key (product, environment, port, major, publication)
);

-- One row per component with a trigger trait; the definition is that of the release it came with.
create table trigger (
  product     uuid not null references product (id),
  environment text not null,
  component   text not null,
  definition  jsonb not null,
  -- the clock: when it fires next; null without a schedule
  next_due    timestamptz,
  fired_at    timestamptz,
  primary key (product, environment, component)
);
create index trigger_due on trigger (environment, next_due);

-- Every input port of the product that is another product. `seen`: the newest publication that a run of this product was started for, or has read.
create table trigger_source (
  product     uuid not null,
  environment text not null,
  component   text not null,
  input       text not null,
  upstream    uuid not null references product (id),
  port        text not null,
  major       integer not null,
  seen        integer not null,
  primary key (product, environment, component, input),
  foreign key (product, environment, component) references trigger on delete cascade
);
create index trigger_source_upstream on trigger_source (environment, upstream, port, major);
