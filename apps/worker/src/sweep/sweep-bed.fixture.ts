import { randomUUID } from "node:crypto";
import type { Instance } from "../provisioning/compute-backend.ts";
import type { FakePlatform } from "../restart/fake-platform.ts";
import type { RestartBed } from "../restart/restart-bed.fixture.ts";

/** What a sweep has told. */
export interface ToldAct {
  readonly subjectId: string | null;
  readonly action: string;
  readonly rule: string;
  readonly workspaceId: string | null;
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Everything that sweeps have told so far, the oldest first. */
export async function toldActs(bed: RestartBed): Promise<readonly ToldAct[]> {
  const rows = await bed.sql`
    SELECT subject_id, payload FROM events WHERE event = 'SWEEP_ACTED' ORDER BY id`;
  return rows.map((row) => {
    const payload = row.payload as Record<string, unknown>;
    return {
      subjectId: row.subject_id === null ? null : String(row.subject_id),
      action: String(payload.action),
      rule: String(payload.rule),
      workspaceId: payload.workspace_id === null ? null : String(payload.workspace_id),
      evidence: payload.evidence as Record<string, unknown>,
    };
  });
}

/** Rules in the history of a workspace, the oldest first. */
export async function toldRules(bed: RestartBed, workspaceId: string): Promise<readonly string[]> {
  const rows = await bed.sql`
    SELECT response_body->>'rule' AS rule FROM activity
    WHERE workspace_id = ${workspaceId} AND response_body->>'action' IS NOT NULL ORDER BY seq`;
  return rows.map((row) => String(row.rule));
}

/** Instances of workspaces that no database knows. */
export async function makeOrphans(
  platform: FakePlatform,
  count: number,
): Promise<readonly Instance[]> {
  const signal = new AbortController().signal;
  const made: Instance[] = [];
  for (let n = 0; n < count; n += 1) {
    const spec = {
      workspaceId: randomUUID(),
      attemptNo: 1,
      name: "nobody's",
      runtime: "demo",
      tier: 3,
      createToken: randomUUID(),
      env: {},
      files: [],
      removedFiles: [],
    };
    made.push(await platform.backend.create(spec, signal));
  }
  return made;
}
