/** What the guard looks at. Header values are null when absent. */
export interface TenantRequest {
  readonly path: string;
  readonly orgId: string | null;
  readonly replaySource: string | null;
  readonly host: string | null;
  readonly origin: string | null;
  readonly referer: string | null;
}

/** What the deployment says. */
export interface TenantSettings {
  /** The organisation this deployment is of; null: the guard is off. */
  readonly orgId: string | null;
  /** A canvas is served to people from this address, so that its own pages pass. */
  readonly servesCanvas: boolean;
}

/** Paths that are answered to everybody, exactly these. Source: wire contract §2.4. */
const OPEN_PATHS: readonly string[] = [
  "/health",
  "/metrics",
  "/buildinfo",
  "/registry/register",
  "/registry/heartbeat",
];

/**
 * True when a request is for this organisation. Everything else is answered as if nobody lived here:
 * a bare 404. It hides, it does not authenticate. Source: wire contract §2.4.
 */
export function isForTenant(settings: TenantSettings, request: TenantRequest): boolean {
  const { orgId } = settings;
  if (orgId === null) return true;
  if (OPEN_PATHS.includes(request.path) || request.path.startsWith("/cp/")) return true;
  if (request.orgId === orgId || replayStateOf(request.replaySource) === orgId) return true;
  return settings.servesCanvas && isFromOwnPage(request);
}

/** `instance=…;region=…;state=<org>` as the edge writes it. */
function replayStateOf(header: string | null): string | null {
  const parts = (header ?? "").split(";").map((part) => part.trim());
  return parts.find((part) => part.startsWith("state="))?.slice("state=".length) ?? null;
}

/** Source: wire contract §2.2, “same-origin canvas”. */
function isFromOwnPage({ host, origin, referer }: TenantRequest): boolean {
  if (host === null || host === "") return false;
  return ["http", "https"].some((scheme) => {
    const own = `${scheme}://${host}`;
    return origin === own || referer === own || referer?.startsWith(`${own}/`) === true;
  });
}
