-- What the journal and operations said of a person who was erased is gone, and the rows say so.
alter table sales.journal add column erased boolean not null default false;
alter table sales.journal drop constraint journal_kind_known;
alter table sales.journal add constraint journal_kind_known
    check (kind in ('created', 'updated', 'deleted', 'undeleted', 'erased'));
alter table sales.operations add column erased boolean not null default false;
