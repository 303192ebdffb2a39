import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What the suite's agent was asked. */
interface Asked {
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON, or the text when it is none. */
  readonly body: unknown;
}

/** An agent of the suite itself, for servers that can dial it. */
export interface AgentDouble extends AsyncDisposable {
  readonly port: number;
}

type Behaviour = (body: Readonly<Record<string, unknown>>, res: ServerResponse) => void;

const MAX_KEPT = 1000;
const SLOW_MS = 4000;

/** How it answers, by the first segment of the path it was registered under. */
const BEHAVIOURS: Readonly<Record<string, Behaviour>> = {
  echo: (body, res) =>
    answer(res, 200, { jsonrpc: "2.0", id: body.id, result: said(textOf(body)) }),
  artifacts: (body, res) =>
    answer(res, 200, {
      jsonrpc: "2.0",
      id: body.id,
      result: {
        kind: "task",
        id: "t",
        contextId: "c",
        status: { state: "completed" },
        artifacts: [{ artifactId: "a", parts: [{ kind: "text", text: "from an artifact" }] }],
      },
    }),
  accepted: (body, res) => answer(res, 202, { jsonrpc: "2.0", id: body.id, result: said("later") }),
  refuses: (_body, res) => answer(res, 403, { error: "not for you" }),
  fails: (_body, res) => answer(res, 500, { error: "the model is down" }),
  silent500: (_body, res) => {
    res.statusCode = 500;
    res.end();
  },
  rpcerror: (body, res) =>
    answer(res, 200, { jsonrpc: "2.0", id: body.id, error: { code: -32000, message: "no" } }),
  slow: (body, res) => {
    setTimeout(() => {
      answer(res, 200, { jsonrpc: "2.0", id: body.id, result: said("slowly") });
    }, SLOW_MS).unref();
  },
  garbage: (_body, res) => {
    res.setHeader("content-type", "application/json");
    res.end("{not json");
  },
  redirects: (_body, res) => {
    res.writeHead(302, { location: "/echo/redirected" });
    res.end();
  },
  stream: (body, res) => {
    res.setHeader("content-type", "text/event-stream");
    const event = (result: unknown) =>
      `data: ${JSON.stringify({ jsonrpc: "2.0", id: body.id, result })}\n\n`;
    res.write(event({ kind: "task", id: "t1", contextId: "c1", status: { state: "working" } }));
    res.write(
      event({
        kind: "artifact-update",
        taskId: "t1",
        contextId: "c1",
        artifact: { artifactId: "a", parts: [{ kind: "text", text: "streamed" }] },
      }),
    );
    res.end(
      event({
        kind: "status-update",
        taskId: "t1",
        contextId: "c1",
        status: { state: "completed" },
        final: true,
      }),
    );
  },
};

/** Starts it on a free port of `host`. `/_calls?path=P` tells what was asked under P. */
export async function startAgentDouble(host: string): Promise<AgentDouble> {
  const asked: Asked[] = [];
  const server = createServer((req, res) => {
    serve(asked, req, res).catch(() => res.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

async function serve(asked: Asked[], req: IncomingMessage, res: ServerResponse): Promise<void> {
  const url = new URL(req.url ?? "/", "http://agent");
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  if (url.pathname === "/_calls") {
    const wanted = url.searchParams.get("path");
    answer(res, 200, { calls: asked.filter((one) => one.path === wanted) });
    return;
  }
  const body = parsed(bytes.toString("latin1"), bytes);
  asked.push({
    path: url.pathname,
    method: req.method ?? "",
    headers: Object.fromEntries(
      Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
    ),
    body,
  });
  if (asked.length > MAX_KEPT) asked.shift();
  if (url.pathname.endsWith("/internal/chat/uploads/ingest")) ingest(bytes, res);
  else if (url.pathname.endsWith("/internal/file/read")) readFile(url, res);
  else {
    const behave = BEHAVIOURS[url.pathname.split("/")[1] ?? ""] ?? nobody;
    behave(typeof body === "object" && body !== null ? (body as Record<string, unknown>) : {}, res);
  }
}

function nobody(_body: Readonly<Record<string, unknown>>, res: ServerResponse): void {
  answer(res, 404, { error: "no such agent" });
}

/** The workspace side of an upload; the name of the file chooses the answer. Source: §9.2. */
function ingest(bytes: Buffer, res: ServerResponse): void {
  const form = bytes.toString("latin1");
  const names = [...form.matchAll(/name="files"; filename="([^"]*)"/g)].map(([, name]) => name);
  if (names.length === 0) answer(res, 400, { error: "no files in the form" });
  else if (names.includes("too-big.bin")) {
    answer(res, 413, { error: "too-big.bin is larger than 25 MB" });
  } else if (names.includes("no-folder.bin")) {
    answer(res, 500, { error: "x", errno: 30, path: "/" });
  } else answer(res, 200, stored(names));
}

function stored(names: readonly (string | undefined)[]) {
  return {
    files: names.map((name) => ({
      uri: `workspace:/workspace/.molecule/chat-uploads/${"0".repeat(32)}-${name}`,
      name,
      mimeType: "text/plain",
      size: 5,
    })),
  };
}

function readFile(url: URL, res: ServerResponse): void {
  const path = url.searchParams.get("path") ?? "";
  if (path.endsWith("/missing.txt")) answer(res, 404, { error: "missing" });
  else if (path.endsWith("/folder")) answer(res, 400, { error: "not a regular file" });
  else {
    res.writeHead(200, { "content-type": "text/plain", "content-length": "5" });
    res.end("hello");
  }
}

function answer(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify(body));
}

function said(text: string) {
  return { kind: "message", role: "agent", messageId: "m", parts: [{ kind: "text", text }] };
}

function textOf(body: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(body.params ?? null);
}

function parsed(latin: string, bytes: Buffer): unknown {
  if (!latin.startsWith("{")) return latin.slice(0, 4096);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return latin.slice(0, 4096);
  }
}
