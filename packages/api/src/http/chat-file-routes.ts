import { DomainError } from "@molecule/domain/errors";
import { parseWorkspaceId } from "@molecule/domain/ids";
import { openDownload, takeUpload } from "../services/chat/agent-files.ts";
import { openKeptFile } from "../services/chat/open-kept-file.ts";
import { fileResponse } from "./file-response.ts";
import { WORKSPACE } from "./guards.ts";
import { bodyOf } from "./incoming.ts";
import type { RequestContext } from "./request-context.ts";
import { type Route, route, streaming } from "./router.ts";

/** Files of a chat; the third hands out what was kept for an agent that polls. Source: contract §9.1, §9.3. */
export const chatFileRoutes: readonly Route[] = [
  streaming(route("POST", "/workspaces/:id/chat/uploads", WORKSPACE, upload)),
  route("GET", "/workspaces/:id/chat/download", WORKSPACE, download),
  route("GET", "/workspaces/:id/chat/uploads/:fileId", WORKSPACE, kept),
];

async function upload({ req, deps, workspaceId }: RequestContext): Promise<Response> {
  const contentType = req.headers.get("content-type") ?? "";
  if (!contentType.toLowerCase().startsWith("multipart/form-data")) {
    throw new DomainError("unsupported_media_type", "Send the files as multipart/form-data.");
  }
  const body = bodyOf(req);
  if (body === null) throw new DomainError("bad_request", "There is no file in the request.");
  const length = req.headers.get("content-length");
  const answer = await takeUpload(deps, {
    workspaceId,
    contentType,
    contentLength: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null,
    body,
  });
  return new Response(answer.body.length === 0 ? null : Buffer.from(answer.body), {
    status: answer.status,
    headers: { "content-type": answer.contentType || "application/json" },
  });
}

async function download({ req, deps, query, workspaceId }: RequestContext): Promise<Response> {
  const file = await openDownload(deps, { workspaceId, path: query.get("path") ?? "" });
  return fileResponse(file, req.headers);
}

async function kept({ req, deps, params, workspaceId }: RequestContext): Promise<Response> {
  const fileId = parseWorkspaceId(params.fileId ?? "");
  if (fileId === null) throw new DomainError("not_found", "There is no such file.");
  return fileResponse(await openKeptFile(deps, { workspaceId, fileId }), req.headers);
}
