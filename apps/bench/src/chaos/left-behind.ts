import { execFile } from "node:child_process";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { waitUntil } from "@molecule/testing/wait-until";
import type postgres from "postgres";
import { listAgents } from "../instances.ts";

const run = promisify(execFile);

/** A platform all of whose workspaces have been deleted. */
export interface EmptiedPlatform {
  readonly sql: postgres.Sql;
  readonly backend: "process" | "docker";
  readonly platformId: string;
  readonly home: string;
}

/** A helper that an engine outage left behind is removed after a minute. */
const GONE_WITHIN_MS = 90_000;

/**
 * What is still there of deleted workspaces once the platform had time to remove it: instances, folders,
 * volumes, rows, live tokens. One line for each kind; empty when nothing is left. Tombstones, activity and
 * the ledger stay on purpose until they are purged.
 */
export async function leftBehind(platform: EmptiedPlatform): Promise<string[]> {
  let found: string[] = [];
  await waitUntil(
    "nothing is left",
    async () => {
      found = await look(platform);
      return found.length === 0;
    },
    { timeoutMs: GONE_WITHIN_MS, everyMs: 250 },
  ).catch(() => undefined);
  return found;
}

async function look({ sql, backend, platformId, home }: EmptiedPlatform): Promise<string[]> {
  const instances =
    backend === "docker"
      ? await listed("container", platformId)
      : await listAgents(backend, platformId, home);
  const below = await readdir(path.join(home, "workspaces"), { recursive: true }).catch(() => []);
  // The platform's own: the list of given users, of which what it lists counts, and its name.
  const folders = below.filter((name) => name !== ".uids" && name !== ".identity");
  const volumes = backend === "docker" ? await listed("volume", platformId) : [];
  const [counts] = await sql`
    SELECT (SELECT count(*)::int FROM workspaces WHERE phase <> 'DELETED') AS workspaces,
      (SELECT count(*)::int FROM managed_files) AS files,
      (SELECT count(*)::int FROM workspace_secrets) AS secrets,
      (SELECT count(*)::int FROM changes) AS changes,
      (SELECT count(*)::int FROM liveness) AS liveness,
      (SELECT count(*)::int FROM observations) AS observations,
      (SELECT count(*)::int FROM machines WHERE removed_at IS NULL) AS machines,
      (SELECT count(*)::int FROM workspace_tokens WHERE revoked_at IS NULL) AS tokens`;
  const named = { folders, volumes };
  const all = { ...counts, instances: instances.length, folders: folders.length };
  return Object.entries({ ...all, volumes: volumes.length }).flatMap(([what, count]) =>
    count === 0 ? [] : [`after deletion: ${count} ${what}${namesOf(named, what)}`],
  );
}

function namesOf(named: Readonly<Record<string, readonly string[]>>, what: string): string {
  const names = named[what];
  return names === undefined ? "" : ` (${names.slice(0, 10).join(", ")})`;
}

/** Everything of the platform on the engine, its helpers included. */
async function listed(
  kind: "container" | "volume",
  platformId: string,
): Promise<readonly string[]> {
  const filter = `label=molecule.platform=${platformId}`;
  const all = kind === "container" ? ["--all"] : [];
  const args = [kind, "ls", ...all, "--quiet", "--filter", filter];
  const { stdout } = await run("docker", args);
  return stdout.split("\n").filter((name) => name !== "");
}
