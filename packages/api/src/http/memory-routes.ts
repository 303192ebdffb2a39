import { createMemoryBody, putMemoryKeyBody } from "@molecule/contracts/memory";
import type { MemoryKeyRow } from "@molecule/db/memory/memory-keys";
import type { FoundMemory } from "@molecule/db/memory/memory-rows";
import { DomainError } from "@molecule/domain/errors";
import { DEFAULT_NAMESPACE } from "@molecule/domain/memory";
import { MEMORY_SCOPES, type MemoryScope } from "@molecule/domain/sets";
import { keepMemory } from "../services/memory/keep-memory.ts";
import { forgetValue, keepValue, readValue, readValues } from "../services/memory/keep-values.ts";
import { forgetMemory, recallMemories } from "../services/memory/recall-memories.ts";
import { type SessionHit, searchSessions } from "../services/memory/search-sessions.ts";
import { viewActivity } from "./activity-routes.ts";
import { WORKSPACE } from "./guards.ts";
import { boundedInt } from "./query-values.ts";
import type { RequestContext } from "./request-context.ts";
import { json, ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** Source: wire contract §20. */
const ROWS = { min: 1, max: 200, fallback: 50 };
/** Longest question; the rest of a longer one is not read. */
const MAX_QUESTION_CHARS = 4_096;
/** Bodies in a found activity row; larger ones are in the activity alone. */
const MAX_SHOWN_BODY_CHARS = 16_384;

/** What agents remember, and what is found of their past. Source: wire contract §20. */
export const memoryRoutes: readonly Route[] = [
  route("POST", "/workspaces/:id/memories", WORKSPACE, keep),
  route("GET", "/workspaces/:id/memories", WORKSPACE, recall),
  route("DELETE", "/workspaces/:id/memories/:memoryId", WORKSPACE, forget),
  route("GET", "/workspaces/:id/memory", WORKSPACE, async ({ deps, workspaceId }) =>
    ok((await readValues(deps, workspaceId)).map(valueView)),
  ),
  route("POST", "/workspaces/:id/memory", WORKSPACE, putValue),
  route("GET", "/workspaces/:id/memory/:key", WORKSPACE, async (context) =>
    ok(valueView(await readValue(context.deps, keyOf(context)))),
  ),
  route("DELETE", "/workspaces/:id/memory/:key", WORKSPACE, async (context) => {
    await forgetValue(context.deps, keyOf(context));
    return ok({ status: "deleted" });
  }),
  route("GET", "/workspaces/:id/session-search", WORKSPACE, search),
];

async function keep({ deps, workspaceId, body }: RequestContext): Promise<Response> {
  const { content, scope, namespace } = await body(createMemoryBody);
  const row = await keepMemory(deps, {
    workspaceId,
    scope,
    namespace: namespace || DEFAULT_NAMESPACE,
    content,
  });
  return json(201, { id: row.id, scope: row.scope, namespace: row.namespace });
}

async function recall({ deps, workspaceId, query }: RequestContext): Promise<Response> {
  const found = await recallMemories(deps, workspaceId, {
    text: questionOf(query),
    scope: scopeOf(query.get("scope")),
    namespace: query.get("namespace") || undefined,
    limit: boundedInt(query.get("limit"), ROWS),
  });
  return ok(found.map(memoryView));
}

async function forget({ deps, workspaceId, params }: RequestContext): Promise<Response> {
  await forgetMemory(deps, { workspaceId, id: params.memoryId ?? "" });
  return ok({ status: "deleted" });
}

async function putValue({ deps, workspaceId, body }: RequestContext): Promise<Response> {
  const wish = await body(putMemoryKeyBody);
  if (wish.value === undefined) {
    throw new DomainError("bad_request", "The field “value” is missing.", {
      details: { field: "value" },
    });
  }
  const { key, version } = await keepValue(deps, {
    workspaceId,
    key: wish.key,
    value: wish.value,
    ttlSeconds: wish.ttl_seconds ?? null,
    ifVersion: wish.if_match_version ?? null,
  });
  return ok({ status: "ok", key, version });
}

async function search({ deps, workspaceId, query }: RequestContext): Promise<Response> {
  const hits = await searchSessions(deps, {
    workspaceId,
    text: questionOf(query),
    limit: boundedInt(query.get("limit"), ROWS),
  });
  return ok(hits.map(hitView));
}

function hitView(hit: SessionHit) {
  if (hit.kind === "memory") return { kind: hit.kind, ...memoryView(hit) };
  const { request_body, response_body, tool_trace: _trace, ...row } = viewActivity(hit.row);
  return {
    kind: hit.kind,
    ...row,
    ...(isSmall(request_body) ? { request_body } : {}),
    ...(isSmall(response_body) ? { response_body } : {}),
    ...(hit.score === null ? {} : { similarity_score: hit.score }),
  };
}

function isSmall(value: unknown): boolean {
  return value !== undefined && JSON.stringify(value).length <= MAX_SHOWN_BODY_CHARS;
}

function memoryView({ row, score }: FoundMemory) {
  return {
    id: row.id,
    workspace_id: row.workspaceId,
    content: row.content,
    scope: row.scope,
    namespace: row.namespace,
    created_at: row.createdAt.toISOString(),
    ...(score === null ? {} : { similarity_score: score }),
  };
}

function valueView(row: MemoryKeyRow) {
  return {
    key: row.key,
    value: JSON.parse(row.value) as unknown,
    version: row.version,
    expires_at: row.expiresAt?.toISOString() ?? null,
    updated_at: row.updatedAt.toISOString(),
  };
}

function questionOf(query: URLSearchParams): string {
  return (query.get("q") ?? "").slice(0, MAX_QUESTION_CHARS);
}

function scopeOf(text: string | null): MemoryScope | undefined {
  if (text === null || text === "") return undefined;
  const scope = MEMORY_SCOPES.find((known) => known === text);
  if (scope === undefined) {
    throw new DomainError("bad_request", `The scope must be one of ${MEMORY_SCOPES.join(", ")}.`, {
      details: { field: "scope" },
    });
  }
  return scope;
}

function keyOf({ workspaceId, params }: RequestContext) {
  return { workspaceId, key: params.key ?? "" };
}
