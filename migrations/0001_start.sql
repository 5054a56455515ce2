-- The first schema. All moments are epoch milliseconds handed in by the caller: no now() in SQL.
-- Names compare by bytes (collate "C"), so that every server pages them in the same order.

create table setting (
  one boolean primary key default true check (one),
  installation text not null check (installation ~ '^[a-z0-9]{12}$'),
  excluded_cidrs jsonb not null,
  excluded_zone_ids jsonb not null,
  quarantine_seconds integer not null check (quarantine_seconds >= 0),
  default_range_limit integer not null check (default_range_limit >= 0)
);

-- The address space. A pool is cut into /21 slots, one row each: finding a free one reads a partial index,
-- so its cost does not depend on how many are in use.
create table pool (
  cidr cidr primary key check (masklen(cidr) between 8 and 21),
  constraint pool_no_overlap exclude using gist (cidr inet_ops with &&)
);

create table slot (
  cidr cidr primary key check (masklen(cidr) = 21),
  lo bigint not null generated always as (cidr::inet - '0.0.0.0'::inet) stored,
  taken boolean not null default false
);
create index slot_free on slot (lo) where not taken;

create table tenant (
  id text primary key,
  name text collate "C" not null,
  range_limit integer not null check (range_limit >= 0),
  avoid_cidrs jsonb not null,
  created_at bigint not null,
  deleted_at bigint
);
create unique index tenant_living_name on tenant (name) where deleted_at is null;

create table api_key (
  id text primary key,
  -- Null for an operator's key.
  tenant_id text references tenant,
  name text not null,
  role text not null check (role in ('viewer', 'member', 'admin')),
  hash text not null check (hash ~ '^[0-9a-f]{64}$'),
  prefix text not null,
  created_at bigint not null,
  revoked_at bigint,
  constraint api_key_hash unique (hash)
);
create index api_key_by_tenant on api_key (tenant_id, created_at, id);

create table dataset (
  id text primary key,
  tenant_id text not null references tenant,
  name text collate "C" not null,
  region text not null,
  customer_account text not null,
  write_connector jsonb not null,
  -- json, not jsonb: it is shown as it was given.
  configuration json not null,
  status text not null check (status in ('CREATING', 'ACTIVE', 'DELETING', 'DELETED', 'ERROR')),
  created_at bigint not null,
  delete_asked_at bigint,
  deleted_at bigint,
  unique (tenant_id, id),
  check ((status = 'DELETED') = (deleted_at is not null))
);
create unique index dataset_living_name on dataset (tenant_id, name) where status <> 'DELETED';
create index dataset_by_name on dataset (tenant_id, name, deleted_at);

create table tenant_range (
  cidr cidr primary key references slot check (masklen(cidr) = 21),
  tenant_id text not null references tenant,
  created_at bigint not null,
  unique (tenant_id, cidr),
  constraint tenant_range_no_overlap exclude using gist (cidr inet_ops with &&)
);

-- However a tenant range comes or goes, its slot follows. The plan of a function is kept for the session's
-- life: it must not be the sequential scan that suits an almost empty table.
create function slot_follows_range() returns trigger language plpgsql set enable_seqscan = off as $$
begin
  if tg_op = 'INSERT' then
    update slot set taken = true where cidr = new.cidr;
  else
    update slot set taken = false where cidr = old.cidr;
  end if;
  return null;
end $$;
create trigger slot_follows_range after insert or delete on tenant_range
  for each row execute function slot_follows_range();

-- Used and resting blocks alike: neither may be given out.
create table dataset_range (
  cidr cidr primary key check (masklen(cidr) in (22, 23, 25)),
  tenant_id text not null,
  tenant_range cidr not null,
  dataset_id text not null,
  state text not null check (state in ('used', 'quarantined')),
  free_at bigint,
  constraint dataset_range_inside check (cidr << tenant_range),
  constraint dataset_range_rest check ((state = 'quarantined') = (free_at is not null)),
  constraint dataset_range_tenant foreign key (tenant_id, tenant_range) references tenant_range (tenant_id, cidr),
  constraint dataset_range_dataset foreign key (tenant_id, dataset_id) references dataset (tenant_id, id),
  constraint dataset_range_no_overlap exclude using gist (cidr inet_ops with &&)
);
create index dataset_range_by_tenant on dataset_range (tenant_id, cidr);
create index dataset_range_by_dataset on dataset_range (dataset_id);
create index dataset_range_resting on dataset_range (free_at) where state = 'quarantined';

create table cell (
  id text primary key,
  account text not null,
  role_arn text,
  region text not null
);
create unique index cell_place on cell (account, coalesce(role_arn, ''), region);

-- Rows stay after the network is gone: they are its history.
create table network (
  id text primary key,
  tenant_id text not null,
  dataset_id text not null unique,
  cell_id text not null references cell,
  size text not null check (size in ('small', 'medium', 'large')),
  cidr cidr not null,
  want text not null check (want in ('present', 'absent')),
  layout jsonb,
  ready_at bigint,
  created_at bigint not null,
  gone_at bigint,
  foreign key (tenant_id, dataset_id) references dataset (tenant_id, id),
  unique (id, cell_id)
);

create table peering_wish (
  network_id text not null references network,
  connection_id text not null,
  want text not null check (want in ('active', 'deleted')),
  reason text,
  asked_at bigint not null,
  established_at bigint,
  ended_at bigint,
  ended_by text,
  primary key (network_id, connection_id)
);

create table network_status (
  network_id text primary key references network,
  conditions jsonb not null,
  world jsonb,
  observed_at bigint
);

-- The journal of creates: a row stands before the call is made.
create table attempt (
  network_id text not null,
  cell_id text not null,
  key text not null,
  attempt integer not null check (attempt > 0),
  resource_id text,
  at bigint not null,
  closed_at bigint,
  primary key (network_id, key, attempt),
  foreign key (network_id, cell_id) references network (id, cell_id)
);

-- The work queue: a row for each network that is wanted or not yet gone.
create table reconcile (
  network_id text primary key,
  cell_id text not null,
  -- Grows with every wake; above claimed_gen: woken since the last claim.
  gen bigint not null default 1,
  claimed_gen bigint not null default 0,
  due_at bigint,
  lease_until bigint,
  -- The fence: grows with every claim.
  token bigint not null default 0,
  failures integer not null default 0,
  last_error text,
  foreign key (network_id, cell_id) references network (id, cell_id)
) with (fillfactor = 70);
create index reconcile_due on reconcile ((greatest(due_at, lease_until))) where due_at is not null;

create table audit (
  seq bigint generated always as identity primary key,
  id text not null unique,
  at bigint not null,
  tenant_id text references tenant,
  key_id text not null,
  key_name text not null,
  action text not null,
  subject text not null,
  detail jsonb not null
);
create index audit_by_tenant on audit (tenant_id, seq);

-- Answers already given, by the caller's key: the same request again gets the same answer.
create table answer (
  scope text not null,
  operation text not null,
  key text not null,
  request_hash text not null,
  status integer not null,
  body json not null,
  at bigint not null,
  primary key (scope, operation, key)
);
create index answer_age on answer (at);
