-- A peering connection takes of AWS's quotas too: whose a reservation is, its holder says.
alter table quota_reservation add column holder text;
update quota_reservation set holder = (select dataset_id from network where network.id = network_id);
alter table quota_reservation alter column holder set not null;
alter table quota_reservation drop constraint quota_reservation_pkey;
alter table quota_reservation add primary key (cell_id, quota, holder);
