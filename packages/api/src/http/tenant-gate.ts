import { isForTenant } from "@molecule/domain/tenant-guard";
import type { Platform } from "../deps.ts";

/** True when this deployment is whom the request is for. Source: wire contract §2.4. */
export function isForUs(
  platform: Pick<Platform, "orgId" | "servesCanvas">,
  pathname: string,
  headers: Headers,
): boolean {
  const { orgId, servesCanvas } = platform;
  return isForTenant(
    { orgId, servesCanvas },
    {
      path: pathname,
      orgId: headers.get("x-molecule-org-id"),
      replaySource: headers.get("fly-replay-src"),
      host: headers.get("host"),
      origin: headers.get("origin"),
      referer: headers.get("referer"),
    },
  );
}

/** As if no such host existed: no body, and no header that would tell what answers here. */
export function nobodyHere(): Response {
  return new Response(null, { status: 404 });
}
