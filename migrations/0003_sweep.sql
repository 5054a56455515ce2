-- The sweep: what is there under our tags and nobody's, and what somebody lacks. A row for each time.
create table sweep (
  seq bigint generated always as identity primary key,
  id text not null unique,
  fix boolean not null,
  -- Name of the key that asked; null for the daily one.
  asked_by text,
  asked_at bigint not null,
  started_at bigint,
  ended_at bigint,
  state text not null check (state in ('waiting', 'running', 'done', 'failed')),
  error text,
  report jsonb
);
create index sweep_open on sweep (seq) where state in ('waiting', 'running');

-- One process sweeps at a time. `token` is the fence: it grows with every claim.
create table sweep_lease (
  one boolean primary key default true check (one),
  token bigint not null default 0,
  lease_until bigint not null default 0
);
insert into sweep_lease default values;
