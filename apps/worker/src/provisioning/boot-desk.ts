import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Database } from "@molecule/db/database";
import { issueBootToken } from "@molecule/db/tokens/boot-token-rows";
import type { InstanceSpec } from "./compute-backend.ts";

/**
 * What a machine elsewhere needs to become its attempt's agent; everything else it fetches by itself. It
 * gets them as the environment of {@link bootEnvironment}. Its boot script, in order:
 * 1. `GET $MOLECULE_RUNTIME_URL` with `Authorization: Bearer $MOLECULE_BOOT_TOKEN` (`Range`, `If-Range` and
 *    `If-None-Match` are understood, the ETag is the hash in quotes);
 * 2. compares the SHA-256 of what came with `$MOLECULE_RUNTIME_SHA256`;
 * 3. starts it with Node ≥ 20.19. It exchanges the token at register, keeps what it gets in
 *    `$WORKSPACE_CONFIG_PATH/.auth_token`, and reads its files and secrets from `GET /workspaces/:id/boot`.
 *
 * The exchange may be repeated by the same folder, so the process may be started again; the folder must
 * not be shared with another machine.
 */
export interface BootTicket {
  /** One use, 15 minutes, bound to the attempt. A secret: never logged. */
  readonly bootToken: string;
  /** Where machines reach the platform; no trailing slash. */
  readonly platformUrl: string;
  readonly runtimeUrl: string;
  /** Hex. */
  readonly runtimeSha256: string;
}

/** Gives out boot tickets. */
export interface BootDesk {
  /** The same ticket for the same attempt; its time begins anew while nobody has used it. */
  issue(
    attempt: Pick<InstanceSpec, "workspaceId" | "attemptNo" | "createToken">,
  ): Promise<BootTicket>;
}

/** What the desk of this platform is made from. */
export interface BootDeskOptions {
  readonly db: Database;
  readonly tokenKey: Uint8Array;
  readonly platformUrl: string;
  /** The built `runtime.mjs`; the server hands out the same file by its hash. */
  readonly runtimeBundle: string;
}

/** The desk over the database. */
export function createBootDesk(options: BootDeskOptions): BootDesk {
  const { db, tokenKey, platformUrl, runtimeBundle } = options;
  return {
    issue: async (attempt) => {
      const { token } = await issueBootToken(db, tokenKey, attempt);
      const sha256 = createHash("sha256")
        .update(await readFile(runtimeBundle))
        .digest("hex");
      return {
        bootToken: token,
        platformUrl,
        runtimeUrl: `${platformUrl}/runtime/${sha256}`,
        runtimeSha256: sha256,
      };
    },
  };
}

/**
 * The environment of a machine's runtime: whom it is, and its ticket. The workspace's secrets are not in
 * it: they are given to the token of the attempt alone, so no service and no user data ever holds them.
 */
export function bootEnvironment(spec: InstanceSpec, ticket: BootTicket): Record<string, string> {
  const { AGENT_ADAPTER, MODEL, MODEL_PROVIDER, LLM_PROVIDER } = spec.env;
  const decided = { AGENT_ADAPTER, MODEL, MODEL_PROVIDER, LLM_PROVIDER };
  return {
    ...Object.fromEntries(
      Object.entries(decided).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value]],
      ),
    ),
    WORKSPACE_ID: spec.workspaceId,
    WORKSPACE_NAME: spec.name,
    PLATFORM_URL: ticket.platformUrl,
    MOLECULE_URL: ticket.platformUrl,
    TIER: String(spec.tier),
    MOLECULE_ATTEMPT: String(spec.attemptNo),
    MOLECULE_BOOT_TOKEN: ticket.bootToken,
    MOLECULE_RUNTIME_URL: ticket.runtimeUrl,
    MOLECULE_RUNTIME_SHA256: ticket.runtimeSha256,
  };
}
