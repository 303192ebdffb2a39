import { setTimeout as delay } from "node:timers/promises";
import { withoutSecrets } from "@molecule/domain/without-secrets";
import { z } from "zod";
import type { Log } from "../../runtime/log.ts";

/** The service and what it knows the platform by. Source: wire contract §19.3. */
export interface ControlPlaneOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  /** Bearer of every call but the console's; absent: no header is sent. */
  readonly sharedSecret: string | undefined;
  /** Bearer of the console. */
  readonly consoleToken: string | undefined;
  /** The operator's token of this platform, in `X-Molecule-Admin-Token`. */
  readonly adminToken: string | undefined;
  readonly orgId: string | null;
  readonly log: Log;
  /** Multiplies waits between tries; 1 outside tests. */
  readonly timeScale: number;
  /** Longest one call may take, in ms. Provisioning has three minutes. Source: wire contract §18. */
  readonly callTimeoutMs: number;
}

/** Most of a refusal's body that the log gets. Source: wire contract §19.3. */
export const MAX_LOGGED_BYTES = 512;
/** A console is read up to here, from its end. */
const MAX_CONSOLE_CHARS = 1_000_000;
const PROVISION_TIMEOUT_MS = 180_000;
const TRIES = 3;
const BASE_WAIT_MS = 500;
/** A service that asks for more is left to the reconciler's own wait. */
const MAX_WAIT_MS = 10_000;

/**
 * A call that did not succeed. `status` is null when nothing came back. The service's words are in the log
 * alone; `mayBeDone` tells that the service may have carried it out.
 */
export class ControlPlaneError extends Error {
  readonly status: number | null;
  readonly mayBeDone: boolean;

  constructor(what: string, status: number | null, options: { cause?: unknown } = {}) {
    super(`${what}: ${status === null ? "no answer" : `status ${status}`}`, options);
    this.name = "ControlPlaneError";
    this.status = status;
    this.mayBeDone = status === null || status >= 500;
  }
}

const provisioned = z.object({
  instance_id: z.string().default(""),
  private_ip: z.string().nullish(),
  state: z.string().nullish(),
  error: z.string().nullish(),
});
const statusAnswer = z.object({ state: z.string() });
const consoleAnswer = z.object({ output: z.string() });

/** What a service is asked to make. */
export interface ProvisionRequest {
  readonly workspaceId: string;
  readonly runtime: string;
  readonly tier: number;
  readonly platformUrl: string;
  readonly env: Readonly<Record<string, string>>;
  /** The same for the same attempt, so that a service that heeds it makes one machine. */
  readonly idempotencyKey: string;
}

interface Call {
  /** For the log: which of the four it is. */
  readonly what: string;
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly bearer: string | undefined;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Statuses that are an answer and no failure. */
  readonly but?: readonly number[];
  readonly signal: AbortSignal;
}

/** The four calls of the contract. Every one ends by its deadline; what may be repeated is, a few times. */
export class ControlPlaneClient {
  readonly #options: ControlPlaneOptions;

  constructor(options: ControlPlaneOptions) {
    this.#options = options;
  }

  /** @throws ControlPlaneError */
  async provision(request: ProvisionRequest, signal: AbortSignal) {
    const { answer } = await this.#call({
      what: "provision",
      method: "POST",
      path: "/cp/workspaces/provision",
      bearer: this.#options.sharedSecret,
      headers: { "idempotency-key": request.idempotencyKey },
      body: {
        org_id: this.#options.orgId ?? "",
        workspace_id: request.workspaceId,
        runtime: request.runtime,
        tier: request.tier,
        platform_url: request.platformUrl,
        env: request.env,
      },
      timeoutMs: PROVISION_TIMEOUT_MS,
      signal,
    });
    const made = provisioned.safeParse(answer).data;
    if (made === undefined || made.instance_id === "") {
      this.#note("provision", 201, made?.error ?? JSON.stringify(answer ?? null));
      throw new ControlPlaneError("provision", 422);
    }
    if (made.error) this.#note("provision", 201, made.error);
    return { instanceId: made.instance_id, privateIp: made.private_ip || null };
  }

  /** The state in the service's own word; null when it knows no such machine. @throws ControlPlaneError */
  async state(
    workspaceId: string,
    instanceId: string,
    signal: AbortSignal,
  ): Promise<string | null> {
    const { status, answer } = await this.#call({
      what: "status",
      method: "GET",
      path: `/cp/workspaces/${encodeURIComponent(workspaceId)}/status?${query(instanceId)}`,
      bearer: this.#options.sharedSecret,
      but: [404, 410],
      signal,
    });
    if (status === 404 || status === 410) return null;
    const found = statusAnswer.safeParse(answer).data;
    if (found === undefined) throw new ControlPlaneError("status", null);
    return found.state;
  }

  /** Asks for its end; one that is gone is success. @throws ControlPlaneError */
  async stop(workspaceId: string, instanceId: string, signal: AbortSignal): Promise<void> {
    await this.#call({
      what: "stop",
      method: "DELETE",
      path: `/cp/workspaces/${encodeURIComponent(workspaceId)}?${query(instanceId)}`,
      bearer: this.#options.sharedSecret,
      but: [404, 410],
      signal,
    });
  }

  /** What the machine has printed, from its end; empty when there is nothing. @throws ControlPlaneError */
  async console(workspaceId: string, instanceId: string, signal: AbortSignal): Promise<string> {
    const { status, answer } = await this.#call({
      what: "console",
      method: "GET",
      path: `/cp/admin/workspaces/${encodeURIComponent(workspaceId)}/console?${query(instanceId)}`,
      bearer: this.#options.consoleToken,
      but: [404, 410],
      signal,
    });
    if (status === 404 || status === 410) return "";
    const found = consoleAnswer.safeParse(answer).data;
    if (found === undefined) throw new ControlPlaneError("console", null);
    return found.output.slice(-MAX_CONSOLE_CHARS);
  }

  async #call(call: Call): Promise<{ status: number; answer: unknown }> {
    for (let tried = 1; ; tried += 1) {
      const outcome = await this.#once(call);
      if (!("error" in outcome)) return outcome;
      const waitMs = outcome.error.mayBeDone && call.method === "POST" ? null : outcome.waitMs;
      if (waitMs === null || tried >= TRIES) throw outcome.error;
      const backoff = BASE_WAIT_MS * 2 ** (tried - 1) * (0.5 + Math.random() / 2);
      await delay(Math.max(waitMs, backoff) * this.#options.timeScale, undefined, {
        signal: call.signal,
      });
    }
  }

  /** One try. `waitMs`: how long the service wants to be left alone; null: it is no use to ask again. */
  async #once(
    call: Call,
  ): Promise<
    { status: number; answer: unknown } | { error: ControlPlaneError; waitMs: number | null }
  > {
    call.signal.throwIfAborted();
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#options.baseUrl}${call.path}`, {
        method: call.method,
        headers: this.#headers(call),
        // Nobody is told our secrets along a redirect: that is an answer like any other.
        redirect: "manual",
        signal: AbortSignal.any([
          call.signal,
          AbortSignal.timeout(call.timeoutMs ?? this.#options.callTimeoutMs),
        ]),
        ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      });
      text = await response.text();
    } catch (cause) {
      call.signal.throwIfAborted();
      return { error: new ControlPlaneError(call.what, null, { cause }), waitMs: 0 };
    }
    const { status } = response;
    if (response.ok || call.but?.includes(status)) return { status, answer: parseJson(text) };
    this.#note(call.what, status, text);
    return { error: new ControlPlaneError(call.what, status), waitMs: waitOf(response) };
  }

  #headers({ bearer, body, headers }: Call): Record<string, string> {
    const { adminToken } = this.#options;
    return {
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(adminToken === undefined ? {} : { "x-molecule-admin-token": adminToken }),
      ...headers,
    };
  }

  /** The service's words, cut, and without what it may repeat of what it was told. */
  #note(what: string, status: number, text: string): void {
    const { sharedSecret = "", consoleToken = "", adminToken = "", log } = this.#options;
    const bytes = Buffer.from(text).subarray(0, MAX_LOGGED_BYTES).toString("utf8");
    const known = withoutSecrets(bytes, [sharedSecret, consoleToken, adminToken]);
    const body = known.replace(/\bw[sb]t_[\w-]{4,}/g, "••••••");
    log.warn({ what, status, body }, "the control plane did not do what it was asked");
  }
}

function query(instanceId: string): string {
  return new URLSearchParams({ instance_id: instanceId }).toString();
}

/** Of a `Retry-After` in seconds or as a date; null when asking again is no use, or not within reason. */
function waitOf({ status, headers }: Response): number | null {
  if (status !== 429 && status < 500) return null;
  const text = headers.get("retry-after");
  if (text === null) return 0;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1_000 : Date.parse(text) - Date.now();
  if (Number.isNaN(ms)) return 0;
  return ms > MAX_WAIT_MS ? null : Math.max(0, ms);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
