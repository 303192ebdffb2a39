import { DomainError } from "@molecule/domain/errors";
import { hasBody } from "./incoming.ts";

/**
 * The rule for requests that a cookie authenticates and that change something: they come from a page
 * of ours. Source: security C2 row 5. @throws DomainError `forbidden`, `unsupported_media_type`.
 */
export function requireSameOrigin(req: Request): void {
  if (!isSameOrigin(req.headers)) {
    throw new DomainError("forbidden", "This request did not come from a page of this platform.", {
      next: "Scripts authenticate with “Authorization: Bearer <token>”.",
    });
  }
}

/** A body that a cookie authenticates is JSON, so that no form of another page can make one. */
export function requireJsonType(req: Request): void {
  if (!hasBody(req)) return;
  const type = (req.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type === "application/json") return;
  throw new DomainError("unsupported_media_type", "Send the body as application/json.");
}

/** True when Origin names the host that was asked and the browser does not say otherwise. */
export function isSameOrigin(headers: Headers): boolean {
  const origin = headers.get("origin");
  const host = headers.get("host");
  if (origin === null || host === null || !URL.canParse(origin)) return false;
  const site = headers.get("sec-fetch-site");
  return (
    new URL(origin).host === host && (site === null || site === "same-origin" || site === "none")
  );
}
