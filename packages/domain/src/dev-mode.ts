/** What decides whether a server answers without credentials. */
export interface DevModeFacts {
  /** `MOLECULE_ENV`. */
  readonly environment: string | undefined;
  readonly hasAdminToken: boolean;
  /** The launcher started it: then people have a link and scripts a token. */
  readonly hasLauncher: boolean;
  /** The address it listens on. */
  readonly host: string;
}

/** Networks an agent of a development machine may live on. Source: wire contract §5.3. */
export const DEV_CIDRS: readonly string[] = [
  "127.0.0.0/8",
  "::1/128",
  "10.0.0.0/8",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "fd00::/8",
];

/**
 * True when the server is somebody's own, in development: then requests without a credential are the
 * operator's. Source: wire contract §2.2, narrowed to a server that nobody else reaches.
 */
export function isDevMode(facts: DevModeFacts): boolean {
  const { environment, hasAdminToken, hasLauncher, host } = facts;
  const isDevelopment = ["development", "dev"].includes((environment ?? "").trim().toLowerCase());
  return isDevelopment && !hasAdminToken && !hasLauncher && isLoopbackHost(host);
}

/** True for an address or name of this machine alone. Brackets and a port are fine. */
export function isLoopbackHost(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[([^\]]*)\](:\d+)?$/, "$1")
    .replace(/^([^:]*):\d+$/, "$1")
    .replace(/^::ffff:/, "");
  return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}
