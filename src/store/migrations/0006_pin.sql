-- A roll back pins: the release stays the one that runs until a newer one is deployed, or somebody unpins.
alter table release add column pinned_at timestamptz;
alter table release add column pinned_by text;
