-- Beats under a token that was replaced since do not count: the steps of a connection are taken back with it.
CREATE OR REPLACE VIEW workspace_statuses AS
SELECT w.id AS workspace_id,
  (CASE
    WHEN w.intent = 'deleted' THEN 'removed'
    WHEN w.intent = 'paused' THEN 'paused'
    WHEN w.intent = 'hibernated' THEN CASE WHEN w.phase = 'PAUSED' THEN 'hibernated' ELSE 'hibernating' END
    WHEN w.backend = 'external' THEN
      CASE
        WHEN l.last_heartbeat_at IS NULL OR l.last_heartbeat_at < cp_now() - interval '90 seconds'
          OR COALESCE(l.registered_at, l.first_beat_at) IS NULL THEN 'awaiting_agent'
        WHEN w.health = 'ok' THEN 'online'
        ELSE 'degraded'
      END
    WHEN w.phase IN ('NEW', 'STOPPING', 'CREATING', 'BOOTING', 'PAUSED') THEN 'provisioning'
    WHEN w.phase = 'READY' THEN
      CASE w.health WHEN 'ok' THEN 'online' WHEN 'degraded' THEN 'degraded' ELSE 'offline' END
    WHEN w.phase = 'BACKOFF' THEN 'offline'
    WHEN w.phase = 'FAILED' THEN 'failed'
    ELSE 'removed'
  END)::workspace_status AS status
FROM workspaces w LEFT JOIN liveness l ON l.workspace_id = w.id;
