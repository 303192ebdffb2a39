/** Plain HTTP calls of the wire contract, as a script would make them. */
export class Platform {
  readonly #url: string;
  readonly #token: string;

  constructor(url: string, adminToken: string) {
    this.#url = url;
    this.#token = adminToken;
  }

  /** Parsed JSON of a 2xx; throws with status and body otherwise. */
  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** Id of a new workspace with the demo agent. */
  async create(name: string): Promise<string> {
    const { id } = await this.call<{ id: string }>("POST", "/workspaces", {
      name,
      runtime: "demo",
    });
    return id;
  }

  /** Resolves when the workspace is online; throws when it failed or the bound passed. */
  async untilOnline(id: string, boundMs = 60_000): Promise<void> {
    const deadline = performance.now() + boundMs;
    for (;;) {
      const { status } = await this.call<{ status: string }>("GET", `/workspaces/${id}`);
      if (status === "online") return;
      if (status === "failed" || performance.now() > deadline)
        throw new Error(`${id} is ${status}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The agent's whole answer to a message. */
  async ask(id: string, text: string): Promise<string> {
    const messageId = crypto.randomUUID();
    const message = { kind: "message", messageId, role: "user", parts: [{ kind: "text", text }] };
    const answer = await this.call<{
      result?: { artifacts?: { parts?: { text?: string }[] }[] };
      error?: unknown;
    }>("POST", `/workspaces/${id}/a2a`, {
      jsonrpc: "2.0",
      id: messageId,
      method: "message/send",
      params: { message },
    });
    const parts = answer.result?.artifacts?.flatMap((artifact) => artifact.parts ?? []) ?? [];
    const said = parts.map((part) => part.text ?? "").join("");
    if (said === "") throw new Error(`${id} did not answer: ${JSON.stringify(answer)}`);
    return said;
  }

  /** Milliseconds until the first streamed text of an answer, and until its end. */
  async firstTokenMs(id: string, text: string): Promise<{ first: number; total: number }> {
    return await streamMessage(`${this.#url}/workspaces/${id}/a2a`, this.#token, text);
  }
}

/** Sends `message/stream` to any A2A address and times the first text. */
export async function streamMessage(
  url: string,
  bearer: string,
  text: string,
): Promise<{ first: number; total: number }> {
  const started = performance.now();
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${bearer}`,
      "content-type": "application/json",
      accept: "text/event-stream",
    },
    body: JSON.stringify({
      jsonrpc: "2.0",
      id: crypto.randomUUID(),
      method: "message/stream",
      params: {
        message: {
          kind: "message",
          messageId: crypto.randomUUID(),
          role: "user",
          parts: [{ kind: "text", text }],
        },
      },
    }),
    signal: AbortSignal.timeout(60_000),
  });
  if (!response.ok || response.body === null) throw new Error(`stream: ${response.status}`);
  let first = Number.NaN;
  const decoder = new TextDecoder();
  let seen = "";
  for await (const chunk of response.body) {
    seen += decoder.decode(chunk, { stream: true });
    if (Number.isNaN(first) && /"artifact-update"|"text":"[^"]/.test(seen)) {
      first = performance.now() - started;
    }
  }
  return { first, total: performance.now() - started };
}
