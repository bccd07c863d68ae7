-- Who reads what. The counting is done in each environment's database; here are its sums, with the names of people.

-- Reads of a port's served objects by one reader in one day (UTC, of the look that saw them). reader: a subject, or service:domain/product.
create table usage (
  product     uuid not null references product (id) on delete cascade,
  environment text not null,
  port        text not null,
  major       integer not null,
  day         date not null,
  reader      text not null,
  reads       bigint not null,
  last_read_at timestamptz not null,
  primary key (product, environment, port, major, day, reader)
);
create index usage_day on usage (day);

-- Ports that are served, and since when their reads are counted; null: from their next publication on.
create table usage_port (
  product     uuid not null references product (id) on delete cascade,
  environment text not null,
  port        text not null,
  major       integer not null,
  counted_since timestamptz,
  primary key (product, environment, port, major)
);

-- What is known of the counting itself. gaps: [{from, to, why}], times of which reads may be missing.
create table usage_coverage (
  environment text primary key,
  as_of       timestamptz not null,
  counting_since timestamptz,
  obstacle    text,
  gaps        jsonb not null
);
