import { putFileBody, replaceFilesBody } from "@molecule/contracts/wire";
import { DomainError } from "@molecule/domain/errors";
import { parseFileRoot } from "@molecule/domain/paths";
import type { FileRoot } from "@molecule/domain/sets";
import { actorOf } from "../context.ts";
import { listFiles, readFile } from "../services/files/read-files.ts";
import { readSharedContext } from "../services/files/read-shared-context.ts";
import { removeFile, replaceFiles, writeFile } from "../services/files/write-files.ts";
import { SIGNED_IN, WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { ok } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** The Files API. Source: wire contract §9.4. */
export const fileRoutes: readonly Route[] = [
  route("GET", "/workspaces/:id/files", WORKSPACE, list),
  route("PUT", "/workspaces/:id/files", WORKSPACE, replace),
  route("GET", "/workspaces/:id/files/*", WORKSPACE, read),
  route("PUT", "/workspaces/:id/files/*", WORKSPACE, write),
  route("DELETE", "/workspaces/:id/files/*", WORKSPACE, remove),
  route("GET", "/workspaces/:id/shared-context", SIGNED_IN, async (context) => {
    const { deps, auth, workspaceId } = context;
    return ok(await readSharedContext(deps, auth, workspaceId));
  }),
];

function rootOf(query: URLSearchParams): FileRoot {
  return parseFileRoot(query.get("root") ?? "/configs");
}

async function list({ deps, query, workspaceId }: RequestContext): Promise<Response> {
  const depth = query.get("depth") ?? "1";
  if (!/^[1-5]$/.test(depth)) throw new DomainError("bad_request", "The depth must be 1 to 5.");
  const target = { workspaceId, root: rootOf(query), path: query.get("path") ?? "" };
  return ok((await listFiles(deps, { ...target, depth: Number(depth) })).entries);
}

async function read({ deps, query, params, workspaceId }: RequestContext): Promise<Response> {
  const target = { workspaceId, root: rootOf(query), path: params.rest ?? "" };
  const { path, content, size, sha256 } = await readFile(deps, target);
  return ok({ path, content, size, sha256 });
}

async function write(context: RequestContext): Promise<Response> {
  const { deps, auth, query, params, workspaceId } = context;
  const { content } = await context.body(putFileBody);
  const path = params.rest ?? "";
  await writeFile(deps, actorOf(auth), { workspaceId, root: rootOf(query), path, content });
  return ok({ status: "saved", path });
}

async function remove(context: RequestContext): Promise<Response> {
  const { deps, auth, query, params, workspaceId } = context;
  const path = params.rest ?? "";
  await removeFile(deps, actorOf(auth), { workspaceId, root: rootOf(query), path });
  return ok({ status: "deleted", path });
}

async function replace(context: RequestContext): Promise<Response> {
  const { deps, auth, workspaceId } = context;
  const { files } = await context.body(replaceFilesBody);
  const count = await replaceFiles(deps, actorOf(auth), { workspaceId, files });
  return ok({ status: "replaced", workspace: workspaceId, files: count, source: "volume" });
}
