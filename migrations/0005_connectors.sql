-- A write connector has a cluster and functions, and a life of its own: deleted and made again, while its dataset
-- stays. What was made before has neither.
alter table dataset add column function_arns jsonb not null default '[]';
update dataset set write_connector = write_connector || '{"kafka": null}'::jsonb
  where write_connector -> 'kafka' is null;

alter table dataset drop constraint dataset_status_check;
alter table dataset add constraint dataset_status_check
  check (status in ('CREATING', 'ACTIVE', 'INACTIVE', 'DELETING', 'DELETED', 'ERROR'));

-- A dataset has one network at a time; those that are gone stay.
alter table network drop constraint network_dataset_id_key;
create unique index network_living on network (dataset_id) where gone_at is null;
create index network_by_dataset on network (dataset_id, created_at);
alter table network add column absent_asked_at bigint;
update network set absent_asked_at = (select delete_asked_at from dataset where dataset.id = network.dataset_id)
  where want = 'absent';

-- 0: not looked at yet.
update network_status
  set world = world || jsonb_build_object('clusters', '[]'::jsonb, 'functions', '[]'::jsonb,
    'lookedAt', (world -> 'lookedAt') || '{"clusters": 0, "functions": 0}'::jsonb)
  where world is not null;
