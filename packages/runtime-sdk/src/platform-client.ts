import { type MemoryView, memoryRow } from "@molecule/contracts/memory";
import {
  heartbeatAnswer,
  type PeerRow,
  peerRow,
  registerAnswer,
} from "@molecule/contracts/platform-tools";
import type { HeartbeatBody, NotifyBody, PostActivityBody } from "@molecule/contracts/wire";
import type { DeliveryMode, MemoryScope } from "@molecule/domain/sets";
import { z } from "zod";
import type { CredentialFiles } from "./credential-files.ts";
import { type DownloadAnswer, type DownloadCall, downloadTo } from "./http-download.ts";
import { callJson, type JsonAnswer, NoAnswerError, type RawBody } from "./http-json.ts";

/** What a runtime needs to speak to the platform. */
export interface PlatformClientOptions {
  /** Base URL without a trailing slash. */
  readonly platformUrl: string;
  readonly workspaceId: string;
  readonly credentials: CredentialFiles;
  /** Longest one call may take, in ms; default 15 000. Messages to peers have their own. */
  readonly callDeadlineMs?: number | undefined;
}

/**
 * How the platform took a sign of life. `superseded` and `removed` are final: this instance is not the
 * workspace any more and must end. Everything else may be tried again.
 */
export type LifeSign =
  | { readonly kind: "ok" }
  | { readonly kind: "superseded" }
  | { readonly kind: "removed" }
  | { readonly kind: "failed"; readonly status: number | undefined; readonly sentence: string };

/** What the agent says about itself at register. */
export interface Registration {
  /** Empty for an agent that nobody can dial. */
  readonly url: string;
  /** Default `push`. */
  readonly deliveryMode?: DeliveryMode;
  readonly agentCard: Readonly<Record<string, unknown>>;
}

/** A call the platform did not accept, with its status, its sentence and what it advises. */
export class PlatformRefusal extends Error {
  readonly status: number;
  readonly next: string | undefined;
  /** When to come again, in seconds; undefined when the platform did not say. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    status: number,
    sentence: string,
    more: { next?: string | undefined; retryAfterSeconds?: number | undefined } = {},
  ) {
    super(sentence);
    this.name = "PlatformRefusal";
    this.status = status;
    this.next = more.next;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

/** Whether a workspace exists, as the platform tells anybody; undefined when it does not answer. */
export type Existence = "there" | "unknown" | "removed" | undefined;

/** One agent-side connection to the platform. Every call has a deadline; nothing is kept open. */
export interface PlatformClient {
  readonly workspaceId: string;
  /** Registers, and stores whatever credentials the answer carries. Never throws. */
  readonly register: (registration: Registration) => Promise<LifeSign>;
  /** Sends one beat; absent fields are left as they are. Never throws. */
  readonly heartbeat: (
    beat: Omit<HeartbeatBody, "workspace_id">,
    deadlineMs?: number,
  ) => Promise<LifeSign>;
  readonly updateCard: (card: Readonly<Record<string, unknown>>) => Promise<LifeSign>;
  /** @throws PlatformRefusal | NoAnswerError */
  readonly peers: (query?: string) => Promise<readonly PeerRow[]>;
  /** @throws PlatformRefusal | NoAnswerError */
  readonly notify: (message: NotifyBody) => Promise<void>;
  /** @throws PlatformRefusal | NoAnswerError */
  readonly postActivity: (
    row: Partial<PostActivityBody> & Pick<PostActivityBody, "activity_type">,
  ) => Promise<void>;
  /** The workspace as the platform shows it to itself. @throws PlatformRefusal | NoAnswerError */
  readonly workspace: () => Promise<Readonly<Record<string, unknown>>>;
  /** Asks without a credential, so that a refused token can be told from a missing workspace. */
  readonly existence: () => Promise<Existence>;
  /** Hands a task over without waiting for it. @throws PlatformRefusal | NoAnswerError */
  readonly delegate: (task: DelegateBody) => Promise<{ readonly delegationId: string }>;
  /** The newest 50 tasks handed over. @throws PlatformRefusal | NoAnswerError */
  readonly delegations: () => Promise<readonly DelegationRow[]>;
  /** Keeps a memory. @throws PlatformRefusal | NoAnswerError */
  readonly remember: (memory: MemoryWish) => Promise<{ readonly id: string }>;
  /** Memories this workspace may read, best first. @throws PlatformRefusal | NoAnswerError */
  readonly recall: (query: Readonly<Record<string, string>>) => Promise<readonly MemoryView[]>;
  /** The newest activity rows of this workspace. @throws PlatformRefusal | NoAnswerError */
  readonly activity: (query: Readonly<Record<string, string>>) => Promise<readonly ActivityRow[]>;
  /** Writes the answer to a GET into a file; a 401 as for `call`. @throws NoAnswerError */
  readonly download: (
    call: Omit<DownloadCall, "url" | "headers"> & { readonly path: string },
  ) => Promise<DownloadAnswer>;
  /** One authenticated call; a 401 reads the token again and tries once more. @throws NoAnswerError */
  readonly call: (call: AuthenticatedCall) => Promise<JsonAnswer>;
}

/** A call that carries the workspace's credentials. */
export interface AuthenticatedCall {
  readonly method: "GET" | "POST";
  /** Begins with a slash. */
  readonly path: string;
  readonly body?: unknown;
  readonly raw?: RawBody | undefined;
  readonly deadlineMs?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** One row of `GET /workspaces/:id/activity`, as far as a runtime reads it. Source: contract §8.3. */
export const activityRow = z.object({
  id: z.string(),
  activity_type: z.string(),
  status: z.string(),
  workspace_id: z.string().nullish(),
  source_id: z.string().nullish(),
  target_id: z.string().nullish(),
  method: z.string().nullish(),
  created_at: z.string().nullish(),
  error_detail: z.string().nullish(),
  request_body: z.unknown().optional(),
  response_body: z.unknown().optional(),
});
export type ActivityRow = z.infer<typeof activityRow>;

/** Body of `POST /workspaces/:id/delegate`. Source: contract §7.1. */
export interface DelegateBody {
  readonly target_id: string;
  readonly task: string;
  readonly idempotency_key?: string | undefined;
}

/** Body of `POST /workspaces/:id/memories`. Source: contract §20. */
export interface MemoryWish {
  readonly content: string;
  readonly scope: MemoryScope;
  readonly namespace?: string | undefined;
}

const memoryAnswer = z.object({ id: z.string() });
const delegateAnswer = z.object({ delegation_id: z.string() });

/** One row of `GET /workspaces/:id/delegations`. Source: contract §7.1. */
const delegationRow = z.object({
  delegation_id: z.string().nullish(),
  target_id: z.string().nullish(),
  status: z.string(),
  summary: z.string().nullish(),
  error: z.string().nullish(),
  response_preview: z.string().nullish(),
});
export type DelegationRow = z.infer<typeof delegationRow>;

const DEFAULT_DEADLINE_MS = 15_000;

/** A client that speaks for one workspace. */
export function platformClient(options: PlatformClientOptions): PlatformClient {
  const { workspaceId, credentials } = options;
  const base = options.platformUrl.replace(/\/+$/, "");

  const once = async (call: AuthenticatedCall): Promise<JsonAnswer> => {
    return callJson({
      method: call.method,
      url: `${base}${call.path}`,
      headers: { ...call.headers, ...(await identity(base, options)) },
      deadlineMs: call.deadlineMs ?? options.callDeadlineMs ?? DEFAULT_DEADLINE_MS,
      ...(call.body === undefined ? {} : { body: call.body }),
      raw: call.raw,
      signal: call.signal,
    });
  };

  const call = async (request: AuthenticatedCall): Promise<JsonAnswer> => {
    const answer = await once(request);
    if (answer.status !== 401) return answer;
    credentials.forgetToken();
    return once(request);
  };

  const checked = async (request: AuthenticatedCall): Promise<unknown> => {
    const answer = await call(request);
    if (answer.status < 200 || answer.status > 299) throw refusalOf(answer);
    return answer.body;
  };

  const lifeSign = async (request: AuthenticatedCall): Promise<[LifeSign, unknown]> => {
    try {
      const answer = await call(request);
      return [lifeSignOf(answer), answer.body];
    } catch (error) {
      if (!(error instanceof NoAnswerError)) throw error;
      return [{ kind: "failed", status: undefined, sentence: error.message }, undefined];
    }
  };

  const here = `/workspaces/${encodeURIComponent(workspaceId)}`;
  return {
    workspaceId,
    call,
    register: async ({ url, agentCard, deliveryMode }) => {
      const [sign, body] = await lifeSign({
        method: "POST",
        path: "/registry/register",
        body: {
          id: workspaceId,
          url,
          agent_card: agentCard,
          delivery_mode: deliveryMode ?? "push",
        },
      });
      if (sign.kind !== "ok") return sign;
      const answer = registerAnswer.safeParse(body).data;
      if (answer?.auth_token !== undefined) await credentials.storeToken(answer.auth_token);
      await learnInboundSecret(credentials, answer?.platform_inbound_secret);
      return sign;
    },
    heartbeat: async (beat, deadlineMs) => {
      const [sign, body] = await lifeSign({
        method: "POST",
        path: "/registry/heartbeat",
        body: { ...beat, workspace_id: workspaceId },
        deadlineMs,
      });
      if (sign.kind !== "ok") return sign;
      await learnInboundSecret(
        credentials,
        heartbeatAnswer.safeParse(body).data?.platform_inbound_secret,
      );
      return sign;
    },
    updateCard: async (card) => {
      const body = { workspace_id: workspaceId, agent_card: card };
      return (await lifeSign({ method: "POST", path: "/registry/update-card", body }))[0];
    },
    peers: async (query) => {
      const suffix = query === undefined ? "" : `?q=${encodeURIComponent(query)}`;
      const path = `/registry/${encodeURIComponent(workspaceId)}/peers${suffix}`;
      return z.array(peerRow).parse(await checked({ method: "GET", path }));
    },
    notify: async (message) => {
      await checked({ method: "POST", path: `${here}/notify`, body: message });
    },
    postActivity: async (row) => {
      await checked({ method: "POST", path: `${here}/activity`, body: row });
    },
    workspace: async () =>
      z.record(z.string(), z.unknown()).parse(await checked({ method: "GET", path: here })),
    existence: () => existenceOf({ base, here, deadlineMs: options.callDeadlineMs }),
    delegate: async (task) => {
      const body = await checked({ method: "POST", path: `${here}/delegate`, body: task });
      return { delegationId: delegateAnswer.parse(body).delegation_id };
    },
    download: async ({ path, ...more }) => {
      const url = `${base}${path}`;
      const get = async () => downloadTo({ ...more, url, headers: await identity(base, options) });
      const answer = await get();
      if (answer.status !== 401) return answer;
      credentials.forgetToken();
      return get();
    },
    delegations: async () =>
      z.array(delegationRow).parse(await checked({ method: "GET", path: `${here}/delegations` })),
    remember: async (memory) =>
      memoryAnswer.parse(await checked({ method: "POST", path: `${here}/memories`, body: memory })),
    recall: async (query) => {
      const path = `${here}/memories?${new URLSearchParams(query).toString()}`;
      return z.array(memoryRow).parse(await checked({ method: "GET", path }));
    },
    activity: async (query) => {
      const path = `${here}/activity?${new URLSearchParams(query).toString()}`;
      return z.array(activityRow).parse(await checked({ method: "GET", path }));
    },
  };
}

/** The headers by which the platform knows the workspace. */
async function identity(
  base: string,
  { workspaceId, credentials }: PlatformClientOptions,
): Promise<Record<string, string>> {
  const token = await credentials.token();
  return {
    origin: base,
    "x-workspace-id": workspaceId,
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
}

async function existenceOf(where: {
  readonly base: string;
  readonly here: string;
  readonly deadlineMs: number | undefined;
}): Promise<Existence> {
  const deadlineMs = where.deadlineMs ?? DEFAULT_DEADLINE_MS;
  const url = `${where.base}${where.here}`;
  try {
    const { status } = await callJson({ method: "GET", url, headers: {}, deadlineMs });
    if (status === 404) return "unknown";
    if (status === 410) return "removed";
    return status >= 200 && status <= 299 ? "there" : undefined;
  } catch (error) {
    if (error instanceof NoAnswerError) return undefined;
    throw error;
  }
}

async function learnInboundSecret(
  credentials: CredentialFiles,
  secret: string | undefined,
): Promise<void> {
  if (secret === undefined || secret === (await credentials.inboundSecret())) return;
  await credentials.storeInboundSecret(secret);
}

function lifeSignOf(answer: JsonAnswer): LifeSign {
  if (answer.status >= 200 && answer.status <= 299) return { kind: "ok" };
  if (answer.status === 409) return { kind: "superseded" };
  if (answer.status === 410) return { kind: "removed" };
  return { kind: "failed", status: answer.status, sentence: refusalOf(answer).message };
}

/** The platform's own sentence of a refusal, or its status when it sent none. */
export function refusalOf(answer: JsonAnswer): PlatformRefusal {
  const told = refusalBody.safeParse(answer.body).data;
  return new PlatformRefusal(
    answer.status,
    told?.error ?? `The platform answered ${answer.status}.`,
    {
      next: told?.next ?? told?.hint,
      retryAfterSeconds: answer.retryAfterSeconds ?? told?.retry_after_seconds ?? told?.retry_after,
    },
  );
}

const refusalBody = z.object({
  error: z.string(),
  next: z.string().optional().catch(undefined),
  hint: z.string().optional().catch(undefined),
  retry_after: z.number().min(0).optional().catch(undefined),
  retry_after_seconds: z.number().min(0).optional().catch(undefined),
});
