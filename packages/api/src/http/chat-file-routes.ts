import { DomainError } from "@molecule/domain/errors";
import { forwardUpload, openDownload } from "../services/chat/agent-files.ts";
import { WORKSPACE } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { type Route, route, streaming } from "./router.ts";

/** Files of a chat. Source: wire contract §9.1 and §9.3. */
export const chatFileRoutes: readonly Route[] = [
  streaming(route("POST", "/workspaces/:id/chat/uploads", WORKSPACE, upload)),
  route("GET", "/workspaces/:id/chat/download", WORKSPACE, download),
];

async function upload({ req, deps, workspaceId }: RequestContext): Promise<Response> {
  const contentType = req.headers.get("content-type") ?? "";
  if (!contentType.toLowerCase().startsWith("multipart/form-data")) {
    throw new DomainError("unsupported_media_type", "Send the files as multipart/form-data.");
  }
  if (req.body === null) throw new DomainError("bad_request", "There is no file in the request.");
  const length = req.headers.get("content-length");
  const answer = await forwardUpload(deps, {
    workspaceId,
    contentType,
    contentLength: length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null,
    body: req.body,
  });
  return new Response(answer.body.length === 0 ? null : Buffer.from(answer.body), {
    status: answer.status,
    headers: { "content-type": answer.contentType || "application/json" },
  });
}

async function download({ deps, query, workspaceId }: RequestContext): Promise<Response> {
  const file = await openDownload(deps, { workspaceId, path: query.get("path") ?? "" });
  const ascii = file.name.replace(/[^\x20-\x7e]|["\\]/g, "_");
  return new Response(file.body, {
    headers: {
      "content-type": file.contentType,
      "content-disposition": `attachment; filename="${ascii}"; filename*=UTF-8''${encodeURIComponent(file.name)}`,
      // What an agent wrote is shown by nobody's browser as ours.
      "content-security-policy": "sandbox",
      "cache-control": "no-store",
      ...(file.contentLength === null ? {} : { "content-length": file.contentLength }),
    },
  });
}
