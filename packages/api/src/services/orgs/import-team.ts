import { randomUUID } from "node:crypto";
import { isRetryableConflict, type Transaction } from "@molecule/db/database";
import { appendEvent } from "@molecule/db/events/append-event";
import { markLacking } from "@molecule/db/lifecycle/mark-lacking";
import {
  endMaking,
  findChild,
  insertOrgImport,
  lockMaking,
  type OrgNodeResult,
  readOrgImport,
  recordNodes,
} from "@molecule/db/orgs/org-imports";
import { paceImport } from "@molecule/db/orgs/pace-starts";
import { needOfKeys } from "@molecule/domain/env-need";
import { DomainError } from "@molecule/domain/errors";
import { missingSentence, type OrgPlanNode } from "@molecule/domain/org-plan";
import type { Actor, OrgNodeOutcome } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { storeWorkspace } from "../workspaces/create-workspace.ts";
import type { PlannedTeam } from "./plan-import.ts";
import type { PreparedAgent } from "./prepare-team.ts";

type Node = OrgPlanNode<PreparedAgent | null>;

/** How an import is carried out. */
export interface ImportOptions {
  /** The caller's id for it; absent: one of ours. */
  readonly importId?: string | undefined;
  /** Hears of each level before it is made; for tests that end a server there. */
  readonly onLevel?: (level: number) => Promise<void>;
}

/** Tries for one level; another transaction may win each time. */
const TRIES = 4;

/**
 * Makes a team: one transaction per level, parents before children. What is there stays; what cannot be
 * made was left out by the plan. Answers the id of the import, whose rows say what became of each agent.
 * @throws DomainError `missing_required_key` (details as the contract's 412), `bad_request` when nothing
 * of it can be made, `conflict` for an id that another import has.
 */
export async function importTeam(
  deps: Deps,
  actor: Actor,
  planned: PlannedTeam,
  { importId, onLevel }: ImportOptions = {},
): Promise<string> {
  const { wish, plan } = planned;
  if (importId !== undefined && (await isSame(deps, importId, planned))) return importId;
  refuseMissing(planned);
  const first = plan.nodes.find(({ action }) => action === "left_out");
  if (first !== undefined && plan.nodes.every(({ action }) => action === "left_out")) {
    throw new DomainError("bad_request", `Nothing of this team can be made: ${first.note}`, {
      details: { left_out: plan.nodes.map(({ path, note }) => ({ path, error: note })) },
    });
  }
  const id = importId ?? randomUUID();
  const { name: org } = wish.bundle.org;
  const nodes = plan.nodes.map(({ action, position, parent, level, name, path, ...node }) => ({
    position,
    parent,
    level,
    name,
    path,
    outcome: OUTCOMES[action],
    note: node.note,
    workspaceId: node.workspaceId,
  }));
  const isNew = await deps.db.transaction((tx) =>
    insertOrgImport(tx, { id, org, staged: wish.isStaged, actor, nodes }),
  );
  if (!isNew) throw new DomainError("conflict", "This import has begun already.");
  deps.log.info(
    { import: id, org, agents: nodes.length, staged: wish.isStaged, by: actor.kind },
    "a team is imported",
  );
  const maker = new TeamMaker(deps, actor, planned, id);
  for (let level = 0; plan.nodes.some((node) => node.level === level); level += 1) {
    await onLevel?.(level);
    if (!(await maker.makeLevel(level))) return id;
  }
  await deps.db.transaction(async (tx) => {
    await endMaking(tx, id);
    await paceImport(tx, id);
  });
  return id;
}

const OUTCOMES: Readonly<Record<Node["action"], OrgNodeOutcome>> = {
  create: "planned",
  exists: "exists",
  left_out: "left_out",
};

/** The same call again is the same import. @throws DomainError `conflict`. */
async function isSame(deps: Deps, importId: string, { wish }: PlannedTeam): Promise<boolean> {
  const there = await readOrgImport(deps.db, importId);
  if (there === null) return false;
  if (there.org === wish.bundle.org.name && there.staged === wish.isStaged) return true;
  throw new DomainError("conflict", "Another import has this id.", {
    details: { field: "importId" },
  });
}

/** Source: wire contract §11.2; nothing gets round it but a staged import, which starts nothing. */
function refuseMissing({ wish, plan }: PlannedTeam): void {
  if (plan.missing.length === 0 || wish.isStaged) return;
  const { org } = wish.bundle;
  throw new DomainError("missing_required_key", missingSentence(plan.missing), {
    next: "Enter what is missing under Settings and import the team again, or import it staged.",
    details: {
      missing_env: plan.missing.map(needOfKeys),
      required_env: org.requiredEnv,
      template: wish.dir ?? org.name,
      suggestion:
        "Store the missing keys as secrets of the organisation (PUT /settings/secrets) and import again.",
      missing: plan.missing,
    },
  });
}

/** Makes the agents of one import, level by level, and remembers where they are. */
class TeamMaker {
  readonly #deps: Deps;
  readonly #actor: Actor;
  readonly #planned: PlannedTeam;
  readonly #importId: string;
  /** Workspaces by position in the plan. */
  readonly #ids = new Map<number, string>();

  constructor(deps: Deps, actor: Actor, planned: PlannedTeam, importId: string) {
    this.#deps = deps;
    this.#actor = actor;
    this.#planned = planned;
    this.#importId = importId;
    for (const { position, workspaceId } of planned.plan.nodes) {
      if (workspaceId !== null) this.#ids.set(position, workspaceId);
    }
  }

  /** False when the import was given up meanwhile: then nothing more is made. */
  async makeLevel(level: number): Promise<boolean> {
    const { nodes } = this.#planned.plan;
    const due = nodes.filter((node) => node.level === level && node.action === "create");
    if (due.length === 0) return true;
    const makable = due.filter((node) => this.#parentOf(node) !== undefined);
    const lost = due.filter((node) => !makable.includes(node)).map((node) => this.#orphan(node));
    try {
      const results = await this.#inOneTransaction(makable, lost);
      if (results === null) return false;
      for (const { position, workspaceId } of results) {
        if (workspaceId !== null) this.#ids.set(position, workspaceId);
      }
    } catch (error) {
      const { log, db } = this.#deps;
      log.error({ err: error, import: this.#importId, level }, "a level of a team was not made");
      const failed = makable.map(({ position }) => ({
        position,
        outcome: "failed" as const,
        note: "It could not be made; the server's log says why. Import the team again to try it again.",
        workspaceId: null,
      }));
      await db.transaction((tx) => recordNodes(tx, this.#importId, [...failed, ...lost]));
    }
    return true;
  }

  async #inOneTransaction(
    makable: readonly Node[],
    lost: readonly OrgNodeResult[],
  ): Promise<readonly OrgNodeResult[] | null> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#deps.db.transaction(async (tx) => {
          if (!(await lockMaking(tx, this.#importId))) return null;
          const results: OrgNodeResult[] = [...lost];
          for (const node of makable) results.push(await this.#make(tx, node));
          await recordNodes(tx, this.#importId, results);
          return results;
        });
      } catch (error) {
        if (tries >= TRIES || !isRetryableConflict(error)) throw error;
      }
    }
  }

  /** Undefined: it was not made. */
  #parentOf({ parent }: Node): string | null | undefined {
    return parent === null ? this.#planned.wish.parentId : this.#ids.get(parent);
  }

  #orphan({ position, parent }: Node): OrgNodeResult {
    const above = this.#planned.plan.nodes.find((node) => node.position === parent);
    const note = `Not made, because “${above?.name ?? "its parent"}” above it was not.`;
    return { position, outcome: "not_made", note, workspaceId: null };
  }

  async #make(tx: Transaction, node: Node): Promise<OrgNodeResult> {
    const { position, name, wish, note, room } = node;
    const parentId = this.#parentOf(node) ?? null;
    const there = await findChild(tx, { parentId, name });
    if (there !== null) {
      // Another import, or a person, was faster.
      return { position, outcome: "exists", note, workspaceId: there };
    }
    const { payload } = wish;
    if (payload === null) throw new Error("invariant: what is made is prepared");
    const { draft, request } = payload.prepared;
    const rests = this.#planned.wish.isStaged && draft.backend !== "external";
    const prepared = {
      draft: { ...draft, parentId },
      request: { ...request, place: node.place },
    };
    await storeWorkspace(this.#deps, tx, prepared, {
      begins: rests ? "when_resumed" : "in_turn",
      room,
      sentence: this.#sentence(rests),
    });
    if (rests) {
      await markLacking(tx, this.#deps.cipher, { ...draft, failure: null });
      await appendEvent(tx, {
        event: "WORKSPACE_PAUSED",
        subjectId: draft.id,
        payload: { name: draft.name, tier: draft.tier },
      });
    }
    return { position, outcome: "created", note, workspaceId: draft.id };
  }

  #sentence(rests: boolean): string {
    const team = this.#planned.wish.bundle.org.name;
    const made = `Created with the team “${team}” by ${this.#actor.name}`;
    return rests ? `${made}, at rest: it starts when it is resumed` : made;
  }
}
