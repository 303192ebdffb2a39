import type { PublicFailure } from "@molecule/domain/errors";
import type { OrgMember } from "@molecule/domain/org-plan";
import type { Actor, OrgNodeOutcome, Phase, WorkspaceStatus } from "@molecule/domain/sets";
import { and, asc, desc, eq, inArray, isNull, ne, sql } from "drizzle-orm";
import { ormOf, type Queryable, type Transaction } from "../database.ts";
import { orgImportNodes, orgImports } from "../schema/orgs.ts";
import { workspaceStatuses } from "../schema/statuses.ts";
import { workspaces } from "../schema/workspaces.ts";
import { storableText } from "../storable.ts";
import { releaseNext, tellImport } from "./pace-starts.ts";

/** Imports that are kept; older ones are forgotten with the next. */
const KEPT_IMPORTS = 200;
/** Serialises whoever makes agents of teams, so that nobody makes one that another just made. */
const MAKE_LOCK = 706_065;

/** An import as it was asked for. */
export interface NewOrgImport {
  readonly id: string;
  readonly org: string;
  readonly staged: boolean;
  readonly actor: Actor;
  readonly nodes: readonly NewOrgNode[];
}

/** One agent of it, with what is known of its outcome beforehand. */
export interface NewOrgNode {
  readonly position: number;
  readonly parent: number | null;
  readonly level: number;
  readonly name: string;
  readonly path: string;
  readonly outcome: OrgNodeOutcome;
  readonly note: string | null;
  readonly workspaceId: string | null;
}

/** Writes down what is going to be made. False: there is an import of that id already. */
export async function insertOrgImport(tx: Transaction, wish: NewOrgImport): Promise<boolean> {
  const { id, org, staged, actor, nodes } = wish;
  const orm = ormOf(tx);
  const made = await orm
    .insert(orgImports)
    .values({
      id,
      org: storableText(org),
      staged,
      actorKind: actor.kind,
      actorId: actor.id ?? null,
      actorName: storableText(actor.name),
    })
    .onConflictDoNothing()
    .returning({ id: orgImports.id });
  if (made.length === 0) return false;
  await orm.insert(orgImportNodes).values(
    nodes.map((node) => ({
      ...node,
      importId: id,
      name: storableText(node.name),
      path: storableText(node.path),
      note: node.note === null ? null : storableText(node.note),
    })),
  );
  await orm.execute(sql`DELETE FROM org_imports WHERE ended_at IS NOT NULL AND id IN (
    SELECT id FROM org_imports ORDER BY created_at DESC OFFSET ${KEPT_IMPORTS})`);
  await tellImport(tx, id);
  return true;
}

/**
 * Begins to make agents of this import; others who make some wait. False when it was given up meanwhile,
 * because nobody had heard of whoever makes it.
 */
export async function lockMaking(tx: Transaction, importId: string): Promise<boolean> {
  const orm = ormOf(tx);
  await orm.execute(sql`SELECT pg_advisory_xact_lock(${MAKE_LOCK})`);
  const rows = await orm
    .update(orgImports)
    .set({ beatAt: sql`cp_now()` })
    .where(
      and(
        eq(orgImports.id, importId),
        eq(orgImports.state, "making"),
        isNull(orgImports.brokenOffAt),
      ),
    )
    .returning({ id: orgImports.id });
  return rows.length > 0;
}

/** What became of one agent. */
export interface OrgNodeResult {
  readonly position: number;
  readonly outcome: OrgNodeOutcome;
  readonly note: string | null;
  readonly workspaceId: string | null;
}

/** Writes down what became of some agents, lets the next ones start, and tells it. */
export async function recordNodes(
  tx: Transaction,
  importId: string,
  results: readonly OrgNodeResult[],
): Promise<void> {
  for (const { position, outcome, note, workspaceId } of results) {
    await ormOf(tx)
      .update(orgImportNodes)
      .set({ outcome, workspaceId, note: note === null ? null : storableText(note) })
      .where(and(eq(orgImportNodes.importId, importId), eq(orgImportNodes.position, position)));
  }
  await releaseNext(tx, importId);
  await tellImport(tx, importId);
}

/** Everything that could be made is; what is left is that they start. */
export async function endMaking(tx: Transaction, importId: string): Promise<void> {
  await ormOf(tx)
    .update(orgImports)
    .set({ state: "starting" })
    .where(and(eq(orgImports.id, importId), eq(orgImports.state, "making")));
}

/** Every workspace that is not removed, oldest first. */
export async function listOrgMembers(q: Queryable): Promise<OrgMember[]> {
  return await ormOf(q)
    .select({ id: workspaces.id, name: workspaces.name, parentId: workspaces.parentId })
    .from(workspaces)
    .where(ne(workspaces.intent, "deleted"))
    .orderBy(asc(workspaces.createdAt), asc(workspaces.id));
}

/** The oldest one of that name below `parentId` (null: at the top); null when there is none. */
export async function findChild(
  q: Queryable,
  { parentId, name }: Pick<OrgMember, "parentId" | "name">,
): Promise<string | null> {
  const [row] = await ormOf(q)
    .select({ id: workspaces.id })
    .from(workspaces)
    .where(
      and(
        parentId === null ? isNull(workspaces.parentId) : eq(workspaces.parentId, parentId),
        eq(workspaces.name, name),
        ne(workspaces.intent, "deleted"),
      ),
    )
    .orderBy(asc(workspaces.createdAt), asc(workspaces.id))
    .limit(1);
  return row?.id ?? null;
}

/** An import as stored. */
export type OrgImportRow = typeof orgImports.$inferSelect;

/** One agent of it with its workspace as it is now. */
export interface OrgNodeRow {
  readonly importId: string;
  readonly position: number;
  readonly parent: number | null;
  readonly level: number;
  readonly name: string;
  readonly path: string;
  readonly outcome: OrgNodeOutcome;
  readonly note: string | null;
  readonly workspaceId: string | null;
  readonly releasedAt: Date | null;
  readonly status: WorkspaceStatus | null;
  readonly phase: Phase | null;
  readonly failure: PublicFailure | null;
}

/** The newest first. */
export async function listOrgImports(q: Queryable, limit: number): Promise<OrgImportRow[]> {
  return await ormOf(q)
    .select()
    .from(orgImports)
    .orderBy(desc(orgImports.createdAt), desc(orgImports.id))
    .limit(limit);
}

/** Null when there is none. */
export async function readOrgImport(q: Queryable, id: string): Promise<OrgImportRow | null> {
  const [row] = await ormOf(q).select().from(orgImports).where(eq(orgImports.id, id));
  return row ?? null;
}

/** Their agents, in the order of making. */
export async function listOrgNodes(q: Queryable, ids: readonly string[]): Promise<OrgNodeRow[]> {
  if (ids.length === 0) return [];
  return await ormOf(q)
    .select({
      importId: orgImportNodes.importId,
      position: orgImportNodes.position,
      parent: orgImportNodes.parent,
      level: orgImportNodes.level,
      name: orgImportNodes.name,
      path: orgImportNodes.path,
      outcome: orgImportNodes.outcome,
      note: orgImportNodes.note,
      workspaceId: orgImportNodes.workspaceId,
      releasedAt: orgImportNodes.releasedAt,
      status: workspaceStatuses.status,
      phase: workspaces.phase,
      failure: workspaces.failure,
    })
    .from(orgImportNodes)
    .leftJoin(workspaces, eq(workspaces.id, orgImportNodes.workspaceId))
    .leftJoin(workspaceStatuses, eq(workspaceStatuses.workspaceId, orgImportNodes.workspaceId))
    .where(inArray(orgImportNodes.importId, [...ids]))
    .orderBy(asc(orgImportNodes.importId), asc(orgImportNodes.position));
}
