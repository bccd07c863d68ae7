-- What can be found, and where it comes from.

-- What the last run knew of a listed product, per environment: built columns, row counts, publication, hash of the lineage. Never a row's value.
alter table entry add column built jsonb not null default '{}';

-- Comes with PostgreSQL; trusted, so the owner of the database may add it.
create extension if not exists pg_trgm;

-- One row for each entry, rewritten in the transaction that changes it. `names` holds a line for each name, address and title in the form that is compared,
-- with a letter for its kind at the beginning: "is" and "begins with" are then plain searches for a piece of text. `version` says how it was made.
create table search_entry (
  product     uuid primary key references product (id) on delete cascade,
  version     integer not null,
  state       text not null,
  domain      text not null,
  address     text collate "C" not null,
  -- of the last publication, in milliseconds before 1970 so that the newest is the least; 0: none yet
  freshness   bigint not null,
  names       text not null
) with (toast_tuple_target = 8160);
-- Every sampled text is compared with every pattern when a question is planned.
alter table search_entry alter column names set statistics 25;
create index search_entry_address on search_entry (address);
create index search_entry_freshness on search_entry (freshness, address);
create index search_entry_names on search_entry using gin (names gin_trgm_ops);

-- The long part, read when the names do not fill a page. `columns` holds lines as above.
create table search_text (
  product     uuid primary key references search_entry (product) on delete cascade,
  columns     text not null,
  column_paths text not null,
  prose       text not null
) with (toast_tuple_target = 8160);
alter table search_text alter column columns set statistics 25;
create index search_text_columns on search_text using gin (columns gin_trgm_ops);
create index search_text_prose on search_text using gin (to_tsvector('english', prose));

-- What a transformation said of one commit: its models, what they read, and which column comes from which. Names only.
create table lineage_document (
  product     uuid not null references product (id) on delete cascade,
  environment text not null,
  commit_id   text not null,
  component   text not null,
  document    jsonb not null,
  run         uuid not null,
  at          timestamptz not null default now(),
  primary key (product, environment, commit_id, component)
);

-- The graph of what is served now, at three levels. A product writes its own nodes and the edges that end at them.
create table lineage_node (
  product     uuid not null references product (id) on delete cascade,
  environment text not null,
  level       text not null check (level in ('product', 'object', 'column')),
  address     text collate "C" not null,
  kind        text not null check (kind in ('source', 'product', 'model', 'object', 'column')),
  name        text not null,
  -- the object of a column, the product of everything else
  parent      text collate "C" not null,
  primary key (environment, level, address)
);
create index lineage_node_parent on lineage_node (environment, level, parent);
create index lineage_node_product on lineage_node (product, environment);
create table lineage_edge (
  product     uuid not null references product (id) on delete cascade,
  environment text not null,
  level       text not null check (level in ('product', 'object', 'column')),
  from_address text collate "C" not null,
  to_address  text collate "C" not null,
  kind        text not null check (kind in ('reads', 'builds')),
  -- whose node the edge begins at, when it is another product's
  upstream    uuid references product (id) on delete cascade,
  primary key (environment, level, to_address, from_address)
);
create index lineage_edge_from on lineage_edge (environment, level, from_address);
create index lineage_edge_product on lineage_edge (product, environment);
-- Parts of a product's lineage that could not be read, in words.
create table lineage_gap (
  product     uuid not null references product (id) on delete cascade,
  environment text not null,
  what        text not null,
  primary key (product, environment, what)
);
