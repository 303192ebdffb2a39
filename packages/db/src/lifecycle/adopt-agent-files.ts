import { createHash } from "node:crypto";
import { isPlatformFile, MAX_MANAGED_FILE_BYTES, parseRelativePath } from "@molecule/domain/paths";
import { pluginOfPath } from "@molecule/domain/plugins";
import type { Actor } from "@molecule/domain/sets";
import { eq, sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { managedFiles } from "../schema/content.ts";
import { changes, workspaces } from "../schema/workspaces.ts";
import type { HeldWorkspace } from "./held-workspace.ts";
import { recordLifecycle } from "./record-lifecycle.ts";

type ManagedRow = typeof managedFiles.$inferSelect;

/** Most files taken over from one stopped instance; a flood of files stays where it is. */
const MAX_ADOPTED = 200;

/** What a file of the instance becomes. Source: architecture 7. */
export type Adoption = "leave" | "adopt" | "keep_copy";

/**
 * What happens with an instance's copy: equal to ours or to a version that we projected, ours wins;
 * changed by the agent alone, it is adopted; changed by both, the agent's is kept beside ours.
 */
export function adoptionOf(
  row: Pick<ManagedRow, "sha256" | "projectedSha256" | "deletedAt"> | null,
  instanceSha256: string,
): Adoption {
  if (row === null) return "adopt";
  const ours = row.deletedAt === null ? row.sha256 : null;
  if (instanceSha256 === ours || row.projectedSha256.includes(instanceSha256)) return "leave";
  return ours !== null && row.projectedSha256.includes(ours) ? "adopt" : "keep_copy";
}

/**
 * Takes over what the agent wrote under `/configs` since the last start, as one new generation by the
 * agent. It needs no restart: the snapshot that follows includes it. Answers how many files changed.
 * A file that the agent deleted comes back: only a person deletes managed files.
 */
export async function adoptAgentFiles(
  tx: Transaction,
  held: HeldWorkspace,
  instance: ReadonlyMap<string, Uint8Array>,
  isRendered: (path: string) => boolean,
): Promise<number> {
  const { row } = held;
  const rows = await ormOf(tx)
    .select()
    .from(managedFiles)
    .where(eq(managedFiles.workspaceId, row.id));
  const byPath = new Map(rows.map((file) => [file.path, file]));
  // What is installed was checked: the agent's version of it is overwritten, not kept.
  const installed = new Set<string | null>((row.config.plugins ?? []).map(({ name }) => name));
  const taken: { path: string; content: Uint8Array; sha256: string }[] = [];
  for (const [path, content] of instance) {
    if (taken.length >= MAX_ADOPTED || !isAdoptable(path, content) || isRendered(path)) continue;
    if (installed.has(pluginOfPath(path))) continue;
    const sha256 = createHash("sha256").update(content).digest("hex");
    const adoption = adoptionOf(byPath.get(path) ?? null, sha256);
    if (adoption === "leave") continue;
    const target = adoption === "adopt" ? path : `${path}.agent-${row.currentAttempt - 1}`;
    if (byPath.get(target)?.sha256 !== sha256) taken.push({ path: target, content, sha256 });
  }
  if (taken.length === 0) return 0;
  await store(tx, held, taken);
  return taken.length;
}

function isAdoptable(path: string, content: Uint8Array): boolean {
  if (content.length > MAX_MANAGED_FILE_BYTES || isPlatformFile("/configs", path)) return false;
  try {
    return parseRelativePath(path) === path;
  } catch {
    // A name that the Files API could never show is not taken over.
    return false;
  }
}

async function store(
  tx: Transaction,
  { row }: HeldWorkspace,
  taken: readonly { path: string; content: Uint8Array; sha256: string }[],
): Promise<void> {
  const orm = ormOf(tx);
  const agent: Actor = { kind: "workspace", id: row.id, name: row.name };
  const gen = row.desiredGen + 1;
  // The agent's own work asks for no restart.
  const toldGen = row.toldGen + 1;
  await orm.update(workspaces).set({ desiredGen: gen, toldGen }).where(eq(workspaces.id, row.id));
  for (const file of taken) {
    const values = {
      content: file.content,
      sha256: file.sha256,
      size: file.content.length,
      gen,
      projectedSha256: [file.sha256],
      updatedAt: sql`cp_now()`,
      updatedBy: agent.name,
      deletedAt: null,
    };
    await orm
      .insert(managedFiles)
      .values({ workspaceId: row.id, path: file.path, ...values })
      .onConflictDoUpdate({ target: [managedFiles.workspaceId, managedFiles.path], set: values });
  }
  await orm.insert(changes).values(
    taken.map((file) => ({
      workspaceId: row.id,
      gen,
      kind: "file" as const,
      name: file.path,
      actorKind: agent.kind,
      actorId: row.id,
      actorName: agent.name,
    })),
  );
  await recordLifecycle(tx, {
    workspaceId: row.id,
    actor: agent,
    type: "change",
    sentence:
      taken.length === 1
        ? `The agent's version of ${taken[0]?.path} was kept`
        : `${taken.length} files that the agent wrote were kept`,
  });
}
