CREATE TABLE "generations" (
	"workspace_id" uuid NOT NULL,
	"gen" bigint NOT NULL,
	"at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	"actor_kind" "actor_kind" NOT NULL,
	"actor_name" text NOT NULL,
	"config_version" bigint NOT NULL,
	"role" text,
	"tier" integer NOT NULL,
	"runtime" "runtime" NOT NULL,
	"template" text,
	"config" jsonb NOT NULL,
	"files" jsonb NOT NULL,
	"secrets" jsonb NOT NULL,
	"rolled_back_to" bigint,
	CONSTRAINT "generations_workspace_id_gen_pk" PRIMARY KEY("workspace_id","gen")
);
--> statement-breakpoint
CREATE TABLE "global_secret_versions" (
	"key" text NOT NULL,
	"version" integer NOT NULL,
	"record" "bytea" NOT NULL,
	"encryption_version" smallint NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "global_secret_versions_key_version_pk" PRIMARY KEY("key","version")
);
--> statement-breakpoint
CREATE TABLE "managed_file_versions" (
	"workspace_id" uuid NOT NULL,
	"sha256" text NOT NULL,
	"content" "bytea" NOT NULL,
	"until_gen" bigint NOT NULL,
	CONSTRAINT "managed_file_versions_workspace_id_sha256_pk" PRIMARY KEY("workspace_id","sha256")
);
--> statement-breakpoint
CREATE TABLE "workspace_secret_versions" (
	"workspace_id" uuid NOT NULL,
	"key" text NOT NULL,
	"version" integer NOT NULL,
	"record" "bytea" NOT NULL,
	"encryption_version" smallint NOT NULL,
	"created_at" timestamp with time zone DEFAULT cp_now() NOT NULL,
	CONSTRAINT "workspace_secret_versions_workspace_id_key_version_pk" PRIMARY KEY("workspace_id","key","version")
);
--> statement-breakpoint
ALTER TABLE "workspaces" ADD COLUMN "pending_policy" "apply_policy";--> statement-breakpoint
ALTER TABLE "generations" ADD CONSTRAINT "generations_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "managed_file_versions" ADD CONSTRAINT "managed_file_versions_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workspace_secret_versions" ADD CONSTRAINT "workspace_secret_versions_workspace_id_workspaces_id_fk" FOREIGN KEY ("workspace_id") REFERENCES "public"."workspaces"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
-- A generation is kept as it was, whoever made it: its row is written at the commit, when all data is there.
CREATE FUNCTION keep_generation(of_workspace uuid, of_gen bigint) RETURNS void LANGUAGE sql AS $$
  INSERT INTO generations (workspace_id, gen, at, actor_kind, actor_name, config_version, role, tier, runtime,
    template, config, files, secrets)
  SELECT w.id, of_gen, COALESCE(c.at, cp_now()),
    COALESCE(c.actor_kind, CASE WHEN w.intent_actor_name IS NULL THEN 'platform' ELSE 'member' END::actor_kind),
    COALESCE(c.actor_name, w.intent_actor_name, 'Molecule'),
    w.config_version, w.role, w.tier, w.runtime, w.template, w.config,
    COALESCE((SELECT jsonb_object_agg(f.path, f.sha256) FROM managed_files f
      WHERE f.workspace_id = w.id AND f.deleted_at IS NULL), '{}'),
    COALESCE((SELECT jsonb_agg(jsonb_build_object('key', s.key, 'scope', s.scope, 'version', s.version) ORDER BY s.key)
      FROM (
        SELECT o.key, 'workspace' AS scope, o.version FROM workspace_secrets o WHERE o.workspace_id = w.id
        UNION ALL
        SELECT g.key, 'global', g.version FROM global_secrets g WHERE NOT EXISTS (
          SELECT 1 FROM workspace_secrets o WHERE o.workspace_id = w.id AND o.key = g.key)) s), '[]')
  FROM workspaces w
  LEFT JOIN LATERAL (
    SELECT l.at, l.actor_kind, l.actor_name FROM changes l
    WHERE l.workspace_id = w.id AND l.gen = of_gen ORDER BY l.id DESC LIMIT 1) c ON true
  WHERE w.id = of_workspace AND w.intent <> 'deleted' AND w.backend <> 'external'
  ON CONFLICT (workspace_id, gen) DO UPDATE SET at = EXCLUDED.at, actor_kind = EXCLUDED.actor_kind,
    actor_name = EXCLUDED.actor_name, config_version = EXCLUDED.config_version, role = EXCLUDED.role,
    tier = EXCLUDED.tier, runtime = EXCLUDED.runtime, template = EXCLUDED.template, config = EXCLUDED.config,
    files = EXCLUDED.files, secrets = EXCLUDED.secrets;
$$;
--> statement-breakpoint
CREATE FUNCTION record_generation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.desired_gen = OLD.desired_gen THEN RETURN NULL; END IF;
  END IF;
  PERFORM keep_generation(NEW.id, NEW.desired_gen);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE CONSTRAINT TRIGGER record_generation AFTER INSERT OR UPDATE OF desired_gen ON workspaces
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record_generation();
--> statement-breakpoint
-- What a file held before is kept while a generation may be rolled back to that had it.
CREATE FUNCTION keep_file_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO managed_file_versions (workspace_id, sha256, content, until_gen)
  VALUES (OLD.workspace_id, OLD.sha256, OLD.content, NEW.gen - 1)
  ON CONFLICT (workspace_id, sha256) DO UPDATE
    SET until_gen = GREATEST(managed_file_versions.until_gen, EXCLUDED.until_gen);
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER keep_file_version AFTER UPDATE OF sha256, deleted_at ON managed_files FOR EACH ROW
  WHEN (OLD.deleted_at IS NULL AND (NEW.deleted_at IS NOT NULL OR NEW.sha256 <> OLD.sha256))
  EXECUTE FUNCTION keep_file_version();
--> statement-breakpoint
-- A version is a value: a secret that was removed and set again goes on counting, and a record that is
-- encrypted anew under its version replaces the one that is kept.
CREATE FUNCTION number_workspace_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := GREATEST(NEW.version, (SELECT max(v.version) + 1 FROM workspace_secret_versions v
    WHERE v.workspace_id = NEW.workspace_id AND v.key = NEW.key));
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER number_workspace_secret BEFORE INSERT ON workspace_secrets
  FOR EACH ROW EXECUTE FUNCTION number_workspace_secret();
--> statement-breakpoint
CREATE FUNCTION keep_workspace_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO workspace_secret_versions (workspace_id, key, version, record, encryption_version)
  VALUES (NEW.workspace_id, NEW.key, NEW.version, NEW.record, NEW.encryption_version)
  ON CONFLICT (workspace_id, key, version) DO UPDATE
    SET record = EXCLUDED.record, encryption_version = EXCLUDED.encryption_version;
  DELETE FROM workspace_secret_versions
    WHERE workspace_id = NEW.workspace_id AND key = NEW.key AND version <= NEW.version - 10;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER keep_workspace_secret AFTER INSERT OR UPDATE OF record ON workspace_secrets
  FOR EACH ROW EXECUTE FUNCTION keep_workspace_secret();
--> statement-breakpoint
CREATE FUNCTION number_global_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := GREATEST(NEW.version,
    (SELECT max(v.version) + 1 FROM global_secret_versions v WHERE v.key = NEW.key));
  RETURN NEW;
END $$;
--> statement-breakpoint
CREATE TRIGGER number_global_secret BEFORE INSERT ON global_secrets
  FOR EACH ROW EXECUTE FUNCTION number_global_secret();
--> statement-breakpoint
CREATE FUNCTION keep_global_secret() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO global_secret_versions (key, version, record, encryption_version)
  VALUES (NEW.key, NEW.version, NEW.record, NEW.encryption_version)
  ON CONFLICT (key, version) DO UPDATE
    SET record = EXCLUDED.record, encryption_version = EXCLUDED.encryption_version;
  DELETE FROM global_secret_versions WHERE key = NEW.key AND version <= NEW.version - 10;
  RETURN NULL;
END $$;
--> statement-breakpoint
CREATE TRIGGER keep_global_secret AFTER INSERT OR UPDATE OF record ON global_secrets
  FOR EACH ROW EXECUTE FUNCTION keep_global_secret();
--> statement-breakpoint
INSERT INTO workspace_secret_versions (workspace_id, key, version, record, encryption_version, created_at)
  SELECT workspace_id, key, version, record, encryption_version, updated_at FROM workspace_secrets;
--> statement-breakpoint
INSERT INTO global_secret_versions (key, version, record, encryption_version, created_at)
  SELECT key, version, record, encryption_version, updated_at FROM global_secrets;
--> statement-breakpoint
SELECT keep_generation(id, desired_gen) FROM workspaces;
