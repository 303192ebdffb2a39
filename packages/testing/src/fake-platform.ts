import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { PeerRow } from "@molecule/contracts/platform-tools";
import {
  type HeartbeatBody,
  heartbeatBody,
  type NotifyBody,
  notifyBody,
  type RegisterBody,
  registerBody,
} from "@molecule/contracts/wire";
import type { z } from "zod";

/** An answer of a route. */
export interface FakeAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** A message that an agent sent to a peer through the platform. */
export interface FakeA2aCall {
  readonly targetId: string;
  readonly callerId: string | undefined;
  readonly messageId: string;
  readonly text: string;
}

/**
 * The platform as a runtime sees it, over real HTTP: it checks tokens and every body against the
 * contract, and refuses what the real one would refuse.
 */
export class FakePlatform {
  readonly registrations: RegisterBody[] = [];
  readonly beats: HeartbeatBody[] = [];
  readonly notices: NotifyBody[] = [];
  readonly a2aCalls: FakeA2aCall[] = [];
  /** Sentences about bodies and tokens that the contract forbids. */
  readonly problems: string[] = [];
  /** The only token that is accepted. */
  token = "wst_fake-token-of-the-first-attempt-000000000000000";
  inboundSecret = "fake-inbound-secret-0000000000000000000000000";
  peers: readonly PeerRow[] = [];
  activity: readonly Record<string, unknown>[] = [];
  /** What the operator tells. */
  instructions = "";
  /** Answers a message to a peer; `undefined` breaks the connection. */
  onA2a: (call: FakeA2aCall) => FakeAnswer | undefined = (call) => ({
    status: 200,
    body: {
      jsonrpc: "2.0",
      id: call.messageId,
      result: { kind: "message", parts: [{ kind: "text", text: `done: ${call.text}` }] },
    },
  });
  /** Answers a sign of life instead of accepting it; `undefined` accepts. */
  onLifeSign: (route: "register" | "heartbeat") => FakeAnswer | undefined = () => undefined;
  readonly #server = createServer((req, res) => {
    this.#route(req, res).catch((error: unknown) => {
      this.problems.push(String(error));
      res.destroy();
    });
  });

  /** Listens on a free loopback port. */
  static async start(): Promise<FakePlatform> {
    const platform = new FakePlatform();
    await new Promise<void>((resolve) => {
      platform.#server.listen(0, "127.0.0.1", () => resolve());
    });
    return platform;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #route(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = await readJson(req);
    const { pathname } = new URL(req.url ?? "/", "http://fake");
    if (req.headers.authorization !== `Bearer ${this.token}`) {
      send(res, { status: 401, body: { error: "This token is not valid." } });
      return;
    }
    const answer = this.#answer(`${req.method} ${pathname}`, req, body);
    if (answer === undefined) res.destroy();
    else send(res, answer);
  }

  #answer(route: string, req: IncomingMessage, body: unknown): FakeAnswer | undefined {
    const secret = { platform_inbound_secret: this.inboundSecret };
    if (route === "POST /registry/register") {
      return this.#take(registerBody, body, (parsed) => {
        const other = this.onLifeSign("register");
        if (other !== undefined) return other;
        this.registrations.push(parsed);
        return { status: 200, body: { status: "registered", ...secret } };
      });
    }
    if (route === "POST /registry/heartbeat") {
      return this.#take(heartbeatBody, body, (parsed) => {
        const other = this.onLifeSign("heartbeat");
        if (other !== undefined) return other;
        this.beats.push(parsed);
        return { status: 200, body: { status: "ok", ...secret } };
      });
    }
    if (/^GET \/registry\/[^/]+\/peers$/.test(route)) return { status: 200, body: this.peers };
    if (/^GET \/workspaces\/[^/]+\/activity$/.test(route)) {
      return { status: 200, body: this.activity };
    }
    if (/^GET \/workspaces\/[^/]+\/instructions\/resolve$/.test(route)) {
      return { status: 200, body: { instructions: this.instructions } };
    }
    if (/^POST \/workspaces\/[^/]+\/notify$/.test(route)) {
      return this.#take(notifyBody, body, (parsed) => {
        this.notices.push(parsed);
        return { status: 200, body: { status: "sent" } };
      });
    }
    const target = /^POST \/workspaces\/([^/]+)\/a2a$/.exec(route)?.[1];
    if (target !== undefined) return this.#takeMessage(target, req, body);
    return { status: 404, body: { error: "There is no such route." } };
  }

  #takeMessage(targetId: string, req: IncomingMessage, body: unknown): FakeAnswer | undefined {
    const message = readPath(body, ["params", "message"]);
    const parts = readPath(message, ["parts"]);
    const first: unknown = Array.isArray(parts) ? parts[0] : undefined;
    const caller = req.headers["x-workspace-id"];
    const call = {
      targetId,
      callerId: typeof caller === "string" ? caller : undefined,
      messageId: String(readPath(message, ["messageId"])),
      text: String(readPath(first, ["text"])),
    };
    this.a2aCalls.push(call);
    return this.onA2a(call);
  }

  #take<T>(schema: z.ZodType<T>, body: unknown, accept: (parsed: T) => FakeAnswer): FakeAnswer {
    const parsed = schema.safeParse(body);
    if (parsed.success) return accept(parsed.data);
    this.problems.push(parsed.error.message);
    return { status: 400, body: { error: "The body does not follow the contract." } };
  }
}

function send(res: ServerResponse, answer: FakeAnswer): void {
  res
    .writeHead(answer.status, { "content-type": "application/json" })
    .end(JSON.stringify(answer.body));
}

function readPath(value: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (at, key) =>
      typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined,
    value,
  );
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of req as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString("utf8");
  return text === "" ? undefined : (JSON.parse(text) as unknown);
}
