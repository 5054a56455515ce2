-- A cluster's topic is a kind of thing of its own that is looked at. 0: not looked at yet.
update network_status
  set world = world || jsonb_build_object('topics', '[]'::jsonb,
    'lookedAt', (world -> 'lookedAt') || '{"topics": 0}'::jsonb)
  where world is not null;
