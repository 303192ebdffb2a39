import { isLiveBootToken } from "@molecule/db/tokens/boot-token-rows";
import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";
import { DomainError } from "@molecule/domain/errors";
import { readBoot } from "../services/registry/read-boot.ts";
import { bootTokenOf } from "./boot-bearer.ts";
import { fileResponse } from "./file-response.ts";
import { type Guard, WORKSPACE_STRICT } from "./guards.ts";
import type { RequestContext } from "./request-context.ts";
import { json } from "./respond.ts";
import { type Route, route } from "./router.ts";

/** Closed by default: the runtime is no secret, but nobody else has to be served megabytes. */
const KNOWN_OR_BOOTING: Guard = { kind: "signed-in", takesBootToken: true };

/**
 * What a machine of a remote backend boots with. In order: it fetches the runtime by the hash it was given
 * (`Authorization: Bearer wbt_…`), registers with the same token, and then reads its files and secrets
 * with the token that register answered.
 */
export const bootRoutes: readonly Route[] = [
  route("GET", "/runtime/:sha256", KNOWN_OR_BOOTING, runtimeFile),
  route("GET", "/workspaces/:id/boot", WORKSPACE_STRICT, boot),
];

/** By its SHA-256 in hex, so that a machine never starts another file than it was told of. */
async function runtimeFile({ deps, req, params }: RequestContext): Promise<Response> {
  const token = bootTokenOf(req.headers);
  if (token !== null && !(await isLiveBootToken(deps.db, tokenDigest(token)))) {
    throw new DomainError("unauthenticated", "This boot token is not valid, or its time is over.");
  }
  const sha256 = params.sha256 ?? "";
  const file = await deps.runtimeFile.find(sha256);
  if (file === null) {
    throw new DomainError("not_found", "There is no runtime of this hash here.", {
      next: "The platform was updated since: the next start names the present one.",
    });
  }
  const etag = `"${sha256}"`;
  // Its address is its content, so what somebody has of it is never out of date.
  const always = { etag, "cache-control": "private, max-age=31536000, immutable" };
  if (matches(req.headers.get("if-none-match"), etag)) {
    file.discard();
    return new Response(null, { status: 304, headers: always });
  }
  const headers = new Headers(req.headers);
  if (headers.get("if-range") === etag) headers.delete("if-range");
  const response = fileResponse(file, headers);
  for (const [name, value] of Object.entries(always)) response.headers.set(name, value);
  return response;
}

function matches(header: string | null, etag: string): boolean {
  const asked = (header ?? "").split(",").map((one) => one.trim().replace(/^W\//, ""));
  return asked.includes(etag) || asked.includes("*");
}

/** For the attempt that boots and nobody else: no person, no other token of the workspace. */
async function boot({ deps, auth, workspaceId }: RequestContext): Promise<Response> {
  if (auth.kind !== "workspace") {
    throw new DomainError("unauthenticated", "This is given to the machine that boots only.");
  }
  if (auth.attemptNo === null) {
    throw new DomainError("not_found", "This token speaks for no machine that boots.");
  }
  const content = await readBoot(deps, { workspaceId, attemptNo: auth.attemptNo });
  return json(200, content, { "cache-control": "no-store" });
}
