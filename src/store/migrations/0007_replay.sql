-- Runs that nobody waits for (the sample's replayed days and what follows from them) let everybody else's go first. 0: as ever; below: in the background.
alter table run add column priority smallint not null default 0;
-- A day of a source is replayed once, however often the replay is interrupted.
create unique index run_source_day on run (product, environment, (detail ->> 'sourceDay'))
  where detail ? 'sourceDay' and state in ('waiting', 'queued', 'running', 'succeeded');
