-- Known to be silent is awaited, however young the last beat is: the token it was made with was replaced.
CREATE OR REPLACE VIEW workspace_statuses AS
SELECT w.id AS workspace_id,
  (CASE
    WHEN w.intent = 'deleted' THEN 'removed'
    WHEN w.intent = 'paused' THEN 'paused'
    WHEN w.intent = 'hibernated' THEN CASE WHEN w.phase = 'PAUSED' THEN 'hibernated' ELSE 'hibernating' END
    WHEN w.backend = 'external' THEN
      CASE
        WHEN l.last_heartbeat_at IS NULL OR l.last_heartbeat_at < cp_now() - interval '90 seconds'
          OR w.health = 'suspected_down' THEN 'awaiting_agent'
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
