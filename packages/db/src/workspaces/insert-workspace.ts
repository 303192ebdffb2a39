import { createHash } from "node:crypto";
import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import type { Actor, Backend, Runtime, WorkspaceAccess } from "@molecule/domain/sets";
import { sql } from "drizzle-orm";
import { ormOf, type Transaction } from "../database.ts";
import { TURN_LATEST } from "../orgs/turn-latest.ts";
import { layouts, managedFiles } from "../schema/content.ts";
import { liveness, workspaces } from "../schema/workspaces.ts";

/** A workspace to be created; everything is decided. */
export interface NewWorkspace {
  readonly id: string;
  readonly name: string;
  readonly role: string | null;
  readonly tier: number;
  readonly runtime: Runtime;
  readonly backend: Backend;
  readonly template: string | null;
  readonly parentId: string | null;
  readonly config: WorkspaceConfig;
  readonly inboundSecret: Uint8Array;
  readonly maxConcurrentTasks: number;
  readonly budgetLimit: number | null;
  readonly workspaceDir: string | null;
  readonly workspaceAccess: WorkspaceAccess;
  /** Where an external agent listens; empty otherwise. */
  readonly advertisedUrl: string;
  /** First files of `/configs`, by path. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly place: { readonly x: number; readonly y: number };
  readonly actor: Actor;
  /** Absent: now. */
  readonly begins?: Beginning | undefined;
}

/** When a new workspace starts: at once, when its import gives it a turn, or when it is resumed. */
export type Beginning = "now" | "in_turn" | "when_resumed";

/**
 * The row with its layout and first files. A workspace with a backend is due as it begins; an external
 * one has nothing to start, and counts as beating from its creation when it came with a url.
 */
export async function insertWorkspace(tx: Transaction, workspace: NewWorkspace): Promise<void> {
  const { files, place, actor, begins, ...row } = workspace;
  const orm = ormOf(tx);
  const isExternal = row.backend === "external";
  await orm.insert(workspaces).values({
    ...row,
    deliveryMode: isExternal && row.advertisedUrl === "" ? "poll" : "push",
    appliedGen: isExternal ? 1 : 0,
    intentActorName: actor.name,
    ...(isExternal ? { nextActionAt: null } : beginning(begins)),
  });
  await orm.insert(layouts).values({ workspaceId: row.id, ...place });
  if (isExternal && row.advertisedUrl !== "") {
    await orm.insert(liveness).values({ workspaceId: row.id });
  }
  const stored = [...files].map(([path, content]) => ({
    workspaceId: row.id,
    path,
    content,
    sha256: createHash("sha256").update(content).digest("hex"),
    size: content.length,
    gen: 1,
    updatedBy: actor.name,
  }));
  if (stored.length > 0) await orm.insert(managedFiles).values(stored);
}

function beginning(begins: Beginning = "now") {
  switch (begins) {
    case "now":
      return { nextActionAt: sql`cp_now()` };
    case "in_turn":
      return { nextActionAt: sql`cp_now() + ${TURN_LATEST}` };
    case "when_resumed":
      return { intent: "paused" as const, phase: "PAUSED" as const, nextActionAt: null };
  }
}
