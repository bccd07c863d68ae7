-- A subject's own token for a program that reads data and does nothing else; `name` tells several apart.
alter table token add column name text;
alter table token drop constraint token_kind_check;
alter table token add constraint token_kind_check check (kind in ('session', 'once', 'git', 'service', 'read'));
create index token_of_subject on token (subject) where revoked_at is null;
