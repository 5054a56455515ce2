-- Live processes: each uses its share of a cell's budget of calls.
create table process (
  id text primary key,
  seen_at bigint not null
);

-- Somebody wants the network looked at after this moment: what was seen before is not fresh enough.
alter table reconcile add column fresh_after bigint not null default 0;

-- What a network is going to take of a cell's AWS quotas and the cloud does not count yet.
create table quota_reservation (
  cell_id text not null references cell,
  quota text not null,
  network_id text not null,
  amount integer not null check (amount > 0),
  primary key (cell_id, quota, network_id),
  foreign key (network_id, cell_id) references network (id, cell_id)
);
create index quota_reservation_by_network on quota_reservation (network_id);
