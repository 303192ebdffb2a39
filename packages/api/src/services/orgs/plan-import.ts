import type { OrgPreview, PreviewOrgInput } from "@molecule/contracts/orgs";
import { listOrgMembers } from "@molecule/db/orgs/org-imports";
import { listGlobalSecrets } from "@molecule/db/secrets/secret-store";
import { keysOfNeed } from "@molecule/domain/env-need";
import { DomainError } from "@molecule/domain/errors";
import type { Place } from "@molecule/domain/free-place";
import { unmetNeeds } from "@molecule/domain/model-offer";
import { type OrgPlan, type OrgPlanNode, planOrg, STARTS_AT_ONCE } from "@molecule/domain/org-plan";
import type { Actor } from "@molecule/domain/sets";
import { collectMap } from "@molecule/templates/archive/collect-files";
import { findOrgBundle } from "@molecule/templates/load-org-templates";
import {
  bundleWithoutFiles,
  ORG_LIMITS,
  type OrgBundle,
  readOrgBundle,
} from "@molecule/templates/org-bundle";
import type { Deps } from "../../deps.ts";
import { allNeeds, type PreparedAgent, prepareTeam } from "./prepare-team.ts";

/** A team that is to be imported. */
export interface TeamWish {
  readonly bundle: OrgBundle;
  /** Its folder among the operator's; null: it was sent. */
  readonly dir: string | null;
  readonly parentId: string | null;
  /** Where its first agent goes; null: as it says, else a free place. */
  readonly place: Place | null;
  readonly isStaged: boolean;
}

/** What its import would do. */
export interface PlannedTeam {
  readonly wish: TeamWish;
  readonly plan: OrgPlan<PreparedAgent | null>;
  readonly missingRecommended: readonly (readonly string[])[];
  readonly notes: readonly string[];
}

/** The team that a procedure's input names. @throws DomainError `not_found`, `bad_request`. */
export async function teamOf(deps: Deps, input: PreviewOrgInput): Promise<TeamWish> {
  const { source, parentId, x, y, stage } = input;
  return {
    bundle: await bundleOf(deps, source),
    dir: source.kind === "dir" ? source.dir : null,
    parentId: parentId ?? null,
    place: x === undefined || x === null || y === undefined || y === null ? null : { x, y },
    isStaged: stage === true,
  };
}

async function bundleOf(deps: Deps, source: PreviewOrgInput["source"]): Promise<OrgBundle> {
  switch (source.kind) {
    case "dir":
      return await requireOrgBundle(deps, source.dir);
    case "template":
      return bundleWithoutFiles(source.template);
    case "files":
      return readOrgBundle(collectMap(source.files, ORG_LIMITS));
  }
}

/** A team of the operator's folder. @throws DomainError `not_found`, `bad_request` where it is none. */
export async function requireOrgBundle(deps: Deps, dir: string): Promise<OrgBundle> {
  const found = await findOrgBundle(deps.orgTemplatesDir, dir);
  if (found !== null) return found;
  throw new DomainError("not_found", `There is no team called “${dir.slice(0, 100)}”.`, {
    next: "GET /org/templates lists those that are there.",
    details: { field: "dir" },
  });
}

/** Plans an import; nothing is written. @throws DomainError `not_found` for an unknown parent. */
export async function planTeam(deps: Deps, actor: Actor, wish: TeamWish): Promise<PlannedTeam> {
  const { parentId, bundle, isStaged } = wish;
  const [members, secrets, team] = await Promise.all([
    listOrgMembers(deps.db),
    listGlobalSecrets(deps.db, deps.cipher),
    prepareTeam(deps, actor, bundle),
  ]);
  if (parentId !== null && members.every(({ id }) => id !== parentId)) {
    throw new DomainError("not_found", "There is no such parent workspace.", {
      details: { field: "parent_id" },
    });
  }
  const setKeys = new Set(secrets.flatMap((row) => (row.isReadable ? [row.key] : [])));
  const wishes = team.wishes.map((one, at) =>
    at === 0 && wish.place !== null ? { ...one, place: wish.place } : one,
  );
  const plan = planOrg({ wishes, members, parentId, setKeys, isStaged });
  const recommended = bundle.org.recommendedEnv.map(keysOfNeed);
  return {
    wish,
    plan,
    missingRecommended: unmetNeeds(recommended, (key) => setKeys.has(key)),
    notes: [...team.notes, ...channelNote(plan)],
  };
}

function channelNote({ nodes }: OrgPlan<PreparedAgent | null>): string[] {
  const count = nodes.reduce((sum, { wish }) => sum + (wish.payload?.channelCount ?? 0), 0);
  return count === 0 ? [] : [`Channels are not supported; ${count} of them are left out.`];
}

/** The plan as a person sees it. */
export function previewTeam({ wish, plan, missingRecommended, notes }: PlannedTeam): OrgPreview {
  const { org } = wish.bundle;
  const count = (is: (node: OrgPlanNode<unknown>) => boolean) => plan.nodes.filter(is).length;
  const lists = (needs: readonly (readonly string[])[]) => needs.map((need) => [...need]);
  return {
    org: org.name,
    description: org.description,
    dir: wish.dir,
    requiredEnv: lists(org.requiredEnv.map(keysOfNeed)),
    recommendedEnv: lists(org.recommendedEnv.map(keysOfNeed)),
    missing: lists(plan.missing),
    missingRecommended: lists(missingRecommended),
    counts: {
      total: plan.nodes.length,
      create: count(({ action }) => action === "create"),
      exists: count(({ action }) => action === "exists"),
      leftOut: count(({ action }) => action === "left_out"),
      startNow: count(({ starts }) => starts === "now"),
      startLater: count(({ starts }) => starts !== "now" && starts !== "no"),
    },
    atOnce: STARTS_AT_ONCE,
    nodes: plan.nodes.map(viewNode),
    extra: [...plan.extra],
    notes: [...notes],
  };
}

function viewNode(node: OrgPlanNode<PreparedAgent | null>): OrgPreview["nodes"][number] {
  const { wish, place, missing, alike, note, ...same } = node;
  const { payload } = wish;
  const draft = payload?.prepared.draft;
  const told = [...(note === null ? [] : [note]), ...(payload?.notes ?? [])];
  const { position, parent, level, name, path, action, workspaceId, starts } = same;
  return {
    position,
    parent,
    level,
    name,
    path,
    action,
    workspaceId,
    starts,
    role: draft?.role ?? null,
    runtime: draft?.runtime ?? "",
    tier: draft?.tier ?? 0,
    model: draft?.config.model ?? null,
    template: draft?.template ?? null,
    note: told.length === 0 ? null : told.join(" "),
    alike: [...alike],
    needs: allNeeds(wish).map((need) => [...need]),
    missing: missing.map((need) => [...need]),
    secrets: [...(payload?.secretNames ?? [])],
    files: payload?.fileCount ?? 0,
    schedules: draft?.schedules.length ?? 0,
    memories: payload?.prepared.request.memories.length ?? 0,
    channelsSkipped: payload?.channelCount ?? 0,
    x: place?.x ?? null,
    y: place?.y ?? null,
  };
}
