import { randomUUID } from "node:crypto";
import type { ConnectionView } from "@molecule/contracts/procedures";
import type { WorkspaceConfig } from "@molecule/contracts/workspaces";
import type { Transaction } from "@molecule/db/database";
import { appendEvent, hintWork } from "@molecule/db/events/append-event";
import { listPlaces } from "@molecule/db/layouts/layouts";
import { recordLifecycle } from "@molecule/db/lifecycle/record-lifecycle";
import type { NewMemory } from "@molecule/db/memory/memory-rows";
import { importSchedules } from "@molecule/db/schedules/import-schedules";
import { newInboundSecret, sealInboundSecret } from "@molecule/db/secrets/inbound-secret";
import { putWorkspaceSecret } from "@molecule/db/secrets/secret-store";
import { storableText } from "@molecule/db/storable";
import { mintToken } from "@molecule/db/tokens/workspace-tokens";
import { listLiveWorkers } from "@molecule/db/workers/live-workers";
import { checkParent } from "@molecule/db/workspaces/hierarchy";
import {
  type Beginning,
  insertWorkspace,
  type NewWorkspace,
} from "@molecule/db/workspaces/insert-workspace";
import { concurrentTasksIn } from "@molecule/domain/delivery";
import { DomainError } from "@molecule/domain/errors";
import { freePlace, type Place } from "@molecule/domain/free-place";
import { providerOfModel } from "@molecule/domain/model-provider";
import type { CardSize } from "@molecule/domain/org-layout";
import type { Actor, Backend, WorkspaceAccess } from "@molecule/domain/sets";
import type { Deps } from "../../deps.ts";
import { storeMemory } from "../memory/keep-memory.ts";
import { type Chosen, chooseTemplate } from "./choose-template.ts";
import { connectionOf } from "./connection-block.ts";

/** A new workspace as both doors (canvas and plain HTTP) ask for it. Null: the template's or ours. */
export interface CreateRequest {
  readonly name: string;
  readonly role: string | null;
  readonly template: string | null;
  readonly runtime: string | null;
  readonly model: string | null;
  /** Null: as the model says, else as the template does. */
  readonly provider: string | null;
  readonly instructions: string | null;
  readonly tier: number | null;
  readonly parentId: string | null;
  readonly backend: Backend | null;
  readonly place: Place | null;
  readonly secrets: Readonly<Record<string, string>>;
  /** What it remembers from the beginning; the operator may give every scope to anybody. */
  readonly memories: readonly Omit<NewMemory, "workspaceId">[];
  /** Where an external agent listens, checked; empty without one. */
  readonly url: string;
  /** Null: what the template says, else `fallback`. */
  readonly maxConcurrentTasks: { readonly asked: number | null; readonly fallback: number };
  readonly budgetLimit: number | null;
  readonly workspaceDir: string | null;
  readonly workspaceAccess: WorkspaceAccess;
}

/** What was made. `connection` only where the agent runs elsewhere; its token is shown this once. */
export interface Created {
  readonly id: string;
  readonly isExternal: boolean;
  readonly connection: ConnectionView | null;
}

/** Tier of a workspace that neither the caller nor a template gives one. Source: wire contract §3.4. */
const DEFAULT_TIER = 3;

type Draft = Omit<NewWorkspace, "place" | "inboundSecret" | "begins"> & Pick<Chosen, "schedules">;

/** A workspace of which everything is decided but where its card goes. */
export interface Prepared {
  readonly draft: Draft;
  readonly request: CreateRequest;
}

/** How a prepared workspace is stored. */
export interface Storing {
  readonly begins: Beginning;
  /** What its card takes with everything that comes below it; absent: a card. */
  readonly room?: CardSize;
  /** The line of its history; absent: by whom it was created. */
  readonly sentence?: string;
}

/**
 * Creates a workspace in one transaction: row, secrets, first files, layout, what tells about it. The
 * reconciler starts it. @throws DomainError `bad_request`; nothing is stored then.
 */
export async function createWorkspace(
  deps: Deps,
  actor: Actor,
  request: CreateRequest,
): Promise<Created> {
  const prepared = await prepareWorkspace(actor, {
    request,
    chosen: await chooseTemplate(deps, request),
    defaultBackend: () => defaultBackend(deps),
  });
  const { id, backend } = prepared.draft;
  const isExternal = backend === "external";
  return await deps.db.transaction(async (tx) => {
    await storeWorkspace(deps, tx, prepared, { begins: "now" });
    if (!isExternal) {
      await hintWork(tx, id);
      return { id, isExternal, connection: null };
    }
    const { token } = await mintToken(tx, id, "external");
    return { id, isExternal, connection: connectionOf(deps.platform.publicUrl, id, token) };
  });
}

/** Stores it in the caller's transaction and tells it; nobody is asked to start it yet. */
export async function storeWorkspace(
  deps: Pick<Deps, "cipher">,
  tx: Transaction,
  { draft, request }: Prepared,
  { begins, room, sentence }: Storing,
): Promise<void> {
  const { id, parentId } = draft;
  if (parentId !== null) await checkParent(tx, { id, parentId });
  const place = request.place ?? freePlace(await listPlaces(tx), parentId, room);
  const { schedules, ...row } = draft;
  // Sealed in the transaction that stores it, as a rotation of the key relies on.
  const inboundSecret = sealInboundSecret(deps.cipher, id, newInboundSecret());
  await insertWorkspace(tx, { ...row, begins, place, inboundSecret });
  for (const [key, value] of Object.entries(request.secrets)) {
    await putWorkspaceSecret(tx, deps.cipher, id, { key, value });
  }
  for (const memory of request.memories) {
    await storeMemory(deps, tx, { ...memory, workspaceId: id });
  }
  await tell(tx, draft, place, sentence ?? `Created by ${draft.actor.name}`);
  await importSchedules(tx, id, schedules);
}

/** What a workspace is prepared from. */
export interface Preparation {
  readonly request: CreateRequest;
  readonly chosen: Chosen;
  /** Where it runs when nobody says. */
  readonly defaultBackend: () => Promise<Backend>;
}

/** Decides everything that its creation needs. @throws DomainError `bad_request`. */
export async function prepareWorkspace(
  actor: Actor,
  { request, chosen, defaultBackend: usual }: Preparation,
): Promise<Prepared> {
  const isExternal = chosen.runtime === "external";
  const backend = isExternal ? "external" : (request.backend ?? (await usual()));
  if (backend === "external" && !isExternal) {
    throw new DomainError("bad_request", "Only the runtime “external” runs outside the platform.");
  }
  const { name, role, template, parentId, budgetLimit } = request;
  const { asked, fallback } = request.maxConcurrentTasks;
  const draft: Draft = {
    id: randomUUID(),
    name,
    role,
    tier: request.tier ?? chosen.tier ?? DEFAULT_TIER,
    runtime: chosen.runtime,
    backend,
    template,
    parentId,
    config: configOf(request, chosen.config),
    maxConcurrentTasks:
      asked ?? concurrentTasksIn(chosen.config.extra.max_concurrent_tasks) ?? fallback,
    budgetLimit,
    workspaceDir: request.workspaceDir,
    workspaceAccess: request.workspaceAccess,
    advertisedUrl: isExternal ? request.url : "",
    files: isExternal ? new Map() : chosen.files,
    schedules: chosen.schedules,
    actor,
  };
  return { draft, request };
}

function configOf(request: CreateRequest, base: WorkspaceConfig): WorkspaceConfig {
  const { model } = request;
  // A model that was chosen names its provider; the template's belongs to the template's model.
  const derived = model === null ? null : providerOfModel(model);
  const provider = request.provider ?? derived ?? base.provider;
  return {
    ...base,
    model: model ?? base.model,
    provider,
    instructions: storableText(request.instructions ?? base.instructions),
  };
}

/** The backend of the live worker; `process` while none is alive. */
export async function defaultBackend(deps: Deps): Promise<Backend> {
  const [worker] = await listLiveWorkers(deps.db);
  return worker?.info?.defaultBackend ?? "process";
}

async function tell(tx: Transaction, draft: Draft, place: Place, sentence: string): Promise<void> {
  const { id, name, tier, runtime, parentId, actor } = draft;
  await recordLifecycle(tx, { workspaceId: id, actor, sentence });
  const external = draft.advertisedUrl === "" ? "WORKSPACE_AWAITING_AGENT" : "WORKSPACE_ONLINE";
  await appendEvent(tx, {
    event: draft.backend === "external" ? external : "WORKSPACE_PROVISIONING",
    subjectId: id,
    payload:
      draft.backend === "external"
        ? { name, external: true }
        : { name, tier, runtime, ...(parentId === null ? {} : { parent_id: parentId }), ...place },
  });
}
