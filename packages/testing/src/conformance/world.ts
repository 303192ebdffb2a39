import type { Call } from "./case.ts";

/** A workspace of the suite. Not made by the platform's backends unless it says so. */
interface Member {
  readonly id: string;
  readonly token: string;
}

/** What the suite needs to know of the server. */
export interface Server {
  /** Without a trailing slash. */
  readonly base: string;
  readonly token: string;
  /** Where the server reaches the suite's own agent; no trailing slash. */
  readonly agentUrl: string;
  /** A runtime that the platform starts itself. */
  readonly runtime: string;
  /** Leave what was made. */
  readonly keeps: boolean;
}

/** An answer in full. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed, undefined when it is no JSON. */
  readonly json: unknown;
}

/** Times one request is repeated that met the rate limit, which is no subject of its case. */
const MAX_WAITS = 3;
const CALL_TIMEOUT_MS = 60_000;
/** As wheels do. Source: contract §5.4. */
const BEAT_EVERY_MS = 20_000;

/** Sends requests to the server under test and makes the workspaces that cases name. */
export class World {
  readonly server: Server;
  /** Workspaces made, for removal at the end. */
  readonly #made: string[] = [];
  readonly #shared = new Map<string, Promise<Member>>();

  readonly #beats: NodeJS.Timeout;

  constructor(server: Server) {
    this.server = server;
    this.#beats = setInterval(() => this.#keepPresent(), BEAT_EVERY_MS);
    this.#beats.unref();
  }

  /** The shared ones stay online however long a run takes. */
  #keepPresent(): void {
    for (const [name, made] of this.#shared) {
      if (name === "removed" || name === "managed") continue;
      made.then((member) => this.#beat(member)).catch(() => undefined);
    }
  }

  /** A workspace that every case may use and none changes. */
  async shared(name: string): Promise<Member> {
    let member = this.#shared.get(name);
    if (member === undefined) {
      member = this.#build(name);
      this.#shared.set(name, member);
    }
    return await member;
  }

  async #build(name: string): Promise<Member> {
    const behaviour = /^push-(\w+)$/.exec(name)?.[1];
    if (behaviour !== undefined) return await this.makePush(behaviour);
    if (name === "managed") return await this.makeManaged();
    if (name === "removed") {
      const member = await this.makeExternal(null);
      await this.#must("DELETE", `/workspaces/${member.id}?confirm=true`);
      return member;
    }
    const parent = PARENTS[name];
    if (parent === undefined) throw new Error(`the suite knows no workspace “${name}”`);
    return await this.#makeRegistered(parent === null ? null : (await this.shared(parent)).id);
  }

  /** An external workspace in poll mode that has beaten. */
  async makeExternal(parentId: string | null): Promise<Member> {
    const member = await this.#create(parentId === null ? {} : { parent_id: parentId });
    await this.#beat(member);
    return member;
  }

  /** The same with a card of its own. */
  async #makeRegistered(parentId: string | null): Promise<Member> {
    const member = await this.makeExternal(parentId);
    await this.#must("POST", "/registry/register", {
      token: member.token,
      body: {
        id: member.id,
        url: "",
        delivery_mode: "poll",
        agent_card: { name: "conformance", skills: [] },
      },
    });
    return member;
  }

  /** An external workspace for which nobody has registered. */
  async makeAwaited(): Promise<Member> {
    return await this.#create({});
  }

  /** An external workspace whose agent is the suite's own. */
  async makePush(behaviour: string): Promise<Member> {
    // The cases of the suite send to it side by side, and none is about its being busy.
    const member = await this.#create({ max_concurrent_tasks: 100 });
    const url = `${this.server.agentUrl}/${behaviour}/${member.id}`;
    const reply = await this.send({
      method: "POST",
      url: "/registry/register",
      token: member.token,
      body: { id: member.id, url, delivery_mode: "push", agent_card: { name: behaviour } },
    });
    if (reply.status !== 200) {
      throw new Error(
        `the server does not dial the suite's agent at ${url} (${reply.status} ${reply.text}); give --agent-url an address it may reach, or allow that network on the server`,
      );
    }
    await this.#beat(member);
    return member;
  }

  async #beat({ id, token }: Member): Promise<void> {
    const body = { workspace_id: id, active_tasks: 0 };
    await this.#must("POST", "/registry/heartbeat", { token, body });
  }

  /** A workspace that the platform starts, with a token of its own. */
  async makeManaged(parentId?: string): Promise<Member> {
    const created = await this.#must("POST", "/workspaces", {
      body: {
        name: "conformance managed",
        runtime: this.server.runtime,
        ...(parentId === undefined ? {} : { parent_id: parentId }),
      },
    });
    const id = String((created as { id: unknown }).id);
    this.#made.push(id);
    const minted = await this.#must("POST", `/workspaces/${id}/tokens`, { body: {} });
    return { id, token: String((minted as { auth_token: unknown }).auth_token) };
  }

  async #create(body: object): Promise<Member> {
    const created = (await this.#must("POST", "/workspaces", {
      body: { name: "conformance", external: true, ...body },
    })) as { id: string; connection?: { auth_token?: string } };
    this.#made.push(created.id);
    return { id: created.id, token: created.connection?.auth_token ?? "" };
  }

  async #must(
    method: string,
    url: string,
    more: { readonly token?: string; readonly body?: unknown } = {},
  ): Promise<unknown> {
    const { token = this.server.token, body } = more;
    const reply = await this.send({ method, url, token, body });
    if (reply.status < 300) return reply.json;
    throw new Error(`the suite cannot prepare: ${method} ${url} → ${reply.status} ${reply.text}`);
  }

  /** Removes what the suite made and has not removed. */
  async clear(): Promise<void> {
    clearInterval(this.#beats);
    for (const id of this.#made.splice(0).reverse()) await this.remove(id);
  }

  /** Removes one workspace with what is below it; one that is gone is fine. */
  async remove(id: string): Promise<void> {
    if (this.server.keeps) return;
    const url = `/workspaces/${id}?confirm=true`;
    await this.send({ method: "DELETE", url, token: this.server.token }).catch(() => undefined);
  }

  /** One request. A refusal by the rate limit is waited for and repeated. */
  async send(request: {
    readonly method: string;
    readonly url: string;
    readonly token: string | null;
    readonly body?: unknown;
    readonly headers?: Call["headers"];
  }): Promise<Reply> {
    for (let waits = 0; ; waits += 1) {
      const reply = await this.#once(request);
      const retryAfter = reply.headers.get("retry-after");
      const isLimited =
        reply.status === 429 && retryAfter !== null && reply.headers.has("x-ratelimit-limit");
      const isOver = isLimited && reply.headers.get("x-ratelimit-remaining") === "0";
      if (!isOver || waits >= MAX_WAITS) return reply;
      await new Promise((done) => setTimeout(done, Number(retryAfter) * 1000));
    }
  }

  async #once(request: {
    readonly method: string;
    readonly url: string;
    readonly token: string | null;
    readonly body?: unknown;
    readonly headers?: Call["headers"];
  }): Promise<Reply> {
    const { method, url, token, body, headers } = request;
    const isJson = body !== undefined && typeof body !== "string" && !(body instanceof FormData);
    const response = await fetch(url.startsWith("http") ? url : `${this.server.base}${url}`, {
      method,
      redirect: "manual",
      headers: {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined || body instanceof FormData
          ? {}
          : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined
        ? {}
        : { body: isJson ? JSON.stringify(body) : (body as string | FormData) }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, json: jsonOf(text) };
  }
}

/** The small organisation of the suite: who is below whom. */
const PARENTS: Readonly<Record<string, string | null>> = {
  lead: null,
  other: null,
  member: "lead",
  peer: "lead",
  grandchild: "member",
  stranger: "other",
};

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
