-- A probe opens a connection from inside a network, by a function that belongs to it: made at the first probe, with
-- this role, and gone with the network.
alter table network add column probe_role_arn text;

-- A row for each time.
create table probe (
  seq bigint generated always as identity primary key,
  id text not null unique,
  network_id text not null references network,
  wish jsonb not null,
  -- Name of the key that asked.
  asked_by text not null,
  asked_at bigint not null,
  started_at bigint,
  ended_at bigint,
  state text not null check (state in ('waiting', 'running', 'done', 'failed')),
  -- What it waits for, or why it failed; and what to do.
  note text,
  hint text,
  result jsonb,
  -- `token` is the fence: it grows with every claim.
  token bigint not null default 0,
  lease_until bigint not null default 0
);
create index probe_open on probe (lease_until, seq) where state in ('waiting', 'running');
create index probe_by_network on probe (network_id, seq);

-- 0: not looked at yet.
update network_status
  set world = world || jsonb_build_object('probes', '[]'::jsonb,
    'lookedAt', (world -> 'lookedAt') || '{"probes": 0}'::jsonb)
  where world is not null;
