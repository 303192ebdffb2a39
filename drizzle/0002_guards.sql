-- Counters only grow, attempts step by one, a deleted workspace stays deleted (lifecycle A5).
CREATE FUNCTION guard_workspace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.desired_gen < OLD.desired_gen OR NEW.force_seq < OLD.force_seq
     OR NEW.current_attempt < OLD.current_attempt OR NEW.lease_epoch < OLD.lease_epoch
     OR NEW.config_version < OLD.config_version THEN
    RAISE EXCEPTION 'invariant: a counter of workspace % went backwards', OLD.id;
  END IF;
  IF NEW.current_attempt - OLD.current_attempt NOT IN (0, 1) THEN
    RAISE EXCEPTION 'invariant: attempts of workspace % step by one', OLD.id;
  END IF;
  IF OLD.phase = 'DELETED' AND NEW.phase <> 'DELETED' THEN
    RAISE EXCEPTION 'invariant: workspace % is deleted', OLD.id;
  END IF;
  IF OLD.intent = 'deleted' AND NEW.intent <> 'deleted' THEN
    RAISE EXCEPTION 'invariant: the deletion of workspace % is final', OLD.id;
  END IF;
  NEW.updated_at := cp_now();
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER guard_workspace BEFORE UPDATE ON workspaces FOR EACH ROW EXECUTE FUNCTION guard_workspace();
--> statement-breakpoint
-- The one place in SQL that knows status names; a test holds it against statusOf in packages/domain.
CREATE VIEW workspace_statuses AS
SELECT w.id AS workspace_id,
  (CASE
    WHEN w.intent = 'deleted' THEN 'removed'
    WHEN w.intent = 'paused' THEN 'paused'
    WHEN w.intent = 'hibernated' THEN CASE WHEN w.phase = 'PAUSED' THEN 'hibernated' ELSE 'hibernating' END
    WHEN w.backend = 'external' THEN
      CASE
        WHEN l.last_heartbeat_at IS NULL OR l.last_heartbeat_at < cp_now() - interval '90 seconds' THEN 'awaiting_agent'
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
