import { type CreateWorkspaceBody, secretKey, secretText } from "@molecule/contracts/wire";
import { findWireRow } from "@molecule/db/workspaces/wire-rows";
import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import { DEFAULT_NAMESPACE, MAX_MEMORY_CHARS } from "@molecule/domain/memory";
import type { Actor, WorkspaceAccess } from "@molecule/domain/sets";
import { checkAgentUrl, resolveAll } from "../../adapters/public-address.ts";
import type { Deps } from "../../deps.ts";
import { type CreateRequest, createWorkspace } from "./create-workspace.ts";

/** Tier of a create call that names none. Source: wire contract §3.4. */
const WIRE_DEFAULT_TIER = 3;
const CLOSED_DIRS = [
  "/etc",
  "/var",
  "/proc",
  "/sys",
  "/dev",
  "/boot",
  "/sbin",
  "/bin",
  "/lib",
  "/usr",
];

/** Creates a workspace for a script; the answer has the contract's shape (§3.4). */
export async function createFromWire(deps: Deps, actor: Actor, body: CreateWorkspaceBody) {
  const request = await requestOf(deps, body);
  const { id, connection } = await createWorkspace(deps, actor, request);
  if (connection === null) {
    return {
      id,
      status: "provisioning",
      awareness_namespace: `workspace:${id}`,
      workspace_access: request.workspaceAccess,
    };
  }
  const row = await findWireRow(deps.db, id);
  return { id, external: true, status: row?.status ?? "awaiting_agent", connection };
}

/** Source: wire contract §3.1. */
const WIRE_CONCURRENT_TASKS = 1;

async function requestOf(deps: Deps, body: CreateWorkspaceBody): Promise<CreateRequest> {
  const isExternal = body.external === true || body.runtime === "external";
  const url = isExternal ? (body.url ?? "") : "";
  if (url !== "") {
    await checkAgentUrl(url, { allowCidrs: deps.platform.allowCidrs, resolve: resolveAll });
  }
  const directory = directoryOf(body);
  const { tier, max_concurrent_tasks: tasks } = body;
  return {
    name: body.name,
    role: emptyAsNull(body.role),
    template: emptyAsNull(body.template),
    runtime: isExternal ? "external" : emptyAsNull(body.runtime),
    model: emptyAsNull(body.model),
    provider: null,
    instructions: null,
    tier: tier === null || tier === undefined || tier === 0 ? WIRE_DEFAULT_TIER : tier,
    parentId: parentOf(body.parent_id),
    backend: null,
    place: body.canvas ?? null,
    secrets: secretsOf(body),
    memories: memoriesOf(body),
    url,
    maxConcurrentTasks: {
      asked: tasks === null || tasks === undefined ? null : Math.max(tasks, 1),
      fallback: WIRE_CONCURRENT_TASKS,
    },
    budgetLimit: body.budget_limit ?? null,
    ...directory,
  };
}

/** The id of a parent; null for none. @throws DomainError `bad_request` for text that is no UUID. */
export function parentOf(text: string | null | undefined): string | null {
  if (text === null || text === undefined || text === "") return null;
  const id = parseWorkspaceId(text);
  if (id !== null) return id;
  throw new DomainError("bad_request", "The parent must be the UUID of a workspace.", {
    details: { field: "parent_id" },
  });
}

/** A folder of the host that may be shown to an agent. @throws DomainError `bad_request`. */
export function checkDirectory(text: string): string {
  const segments = text.split("/");
  const isClosed = CLOSED_DIRS.some((dir) => text === dir || text.startsWith(`${dir}/`));
  if (text.startsWith("/") && !segments.includes("..") && !isClosed && !text.includes("\0")) {
    return text;
  }
  throw new DomainError(
    "bad_request",
    "The workspace folder must be an absolute path outside the system's own folders, without “..”.",
    { details: { field: "workspace_dir" } },
  );
}

function directoryOf(body: CreateWorkspaceBody): {
  workspaceDir: string | null;
  workspaceAccess: WorkspaceAccess;
} {
  const text = emptyAsNull(body.workspace_dir);
  const workspaceAccess = body.workspace_access ?? "none";
  if (text === null && workspaceAccess !== "none") {
    throw new DomainError("bad_request", "Access to a folder needs workspace_dir.", {
      details: { field: "workspace_access" },
    });
  }
  return { workspaceDir: text === null ? null : checkDirectory(text), workspaceAccess };
}

function secretsOf(body: CreateWorkspaceBody): Record<string, string> {
  const secrets = Object.entries(body.secrets ?? {});
  for (const [key, value] of secrets) {
    const isUsable = secretKey.safeParse(key).success && secretText.safeParse(value).success;
    if (isUsable && value !== "") continue;
    throw new DomainError(
      "bad_request",
      "Each secret needs a name like OPENAI_API_KEY and a value.",
      {
        details: { field: "secrets" },
      },
    );
  }
  return Object.fromEntries(secrets);
}

/** Source: wire contract §3.4. */
function memoriesOf(body: CreateWorkspaceBody): CreateRequest["memories"] {
  return (body.initial_memories ?? []).map(({ content, scope, namespace }) => ({
    content: content.slice(0, MAX_MEMORY_CHARS),
    scope: scope ?? "LOCAL",
    namespace: namespace || DEFAULT_NAMESPACE,
  }));
}

function emptyAsNull(text: string | null | undefined): string | null {
  return text === undefined || text === "" ? null : text;
}
