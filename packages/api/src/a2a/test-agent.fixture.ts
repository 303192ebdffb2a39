import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { TestApi } from "../api.fixture.ts";

/** One request an agent got. */
interface AgentCall {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: Record<string, unknown>;
}

/** Answers one request in whatever way a test needs. */
export type AgentBehaviour = (
  call: AgentCall,
  res: ServerResponse,
  req: IncomingMessage,
) => void | Promise<void>;

/** A real little A2A server on loopback. */
export interface TestAgent extends AsyncDisposable {
  readonly address: string;
  readonly calls: AgentCall[];
  behave(behaviour: AgentBehaviour): void;
  /** Refuses connections from now on. */
  close(): Promise<void>;
  /** Listens again on the same port. */
  reopen(): Promise<void>;
}

/** The answer of an agent that says `text`. */
export function saying(text: string): AgentBehaviour {
  return (call, res) => {
    res.setHeader("content-type", "application/json");
    res.end(JSON.stringify({ jsonrpc: "2.0", id: call.body.id, result: messageOf(text) }));
  };
}

export function messageOf(text: string) {
  return { kind: "message", role: "agent", messageId: "m", parts: [{ kind: "text", text }] };
}

/** Starts an agent; it says "hello" until told otherwise. */
export async function startTestAgent(): Promise<TestAgent> {
  let behaviour = saying("hello");
  const calls: AgentCall[] = [];
  const handle = async (req: IncomingMessage, res: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of req) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : { text };
    const call = { method: req.method, url: req.url, headers: req.headers, body };
    calls.push(call);
    await behaviour(call, res, req);
  };
  const open = async (port: number): Promise<Server> => {
    const server = createServer((req, res) => {
      handle(req, res).catch(() => res.destroy());
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return server;
  };
  let server = await open(0);
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    address: `127.0.0.1:${port}`,
    calls,
    behave: (next) => {
      behaviour = next;
    },
    close,
    reopen: async () => {
      server = await open(port);
    },
    [Symbol.asyncDispose]: close,
  };
}

/** Arranges that an attempt of the workspace runs at `address`, as the reconciler would have. */
export async function runAt(api: TestApi, workspaceId: string, address: string): Promise<void> {
  const { sql } = api.test;
  await sql`
    INSERT INTO attempts (workspace_id, no, reason, detail, actor_kind, actor_name, lease_epoch,
      snap_gen, snap_force, snap_config, provider_addr, outcome, ready_at)
    SELECT id, current_attempt + 1, 'create', '{"sentence":"","merged":[],"absorbed":[]}', 'admin',
      'test', 1, desired_gen, force_seq, config, ${address}, 'ready', cp_now()
    FROM workspaces WHERE id = ${workspaceId}`;
  await sql`
    UPDATE workspaces SET current_attempt = current_attempt + 1, phase = 'READY',
      applied_gen = desired_gen, ready_at = cp_now(), next_action_at = NULL, deadline_at = NULL
    WHERE id = ${workspaceId}`;
  await sql`INSERT INTO liveness (workspace_id, attempt_no) VALUES (${workspaceId}, 1)
    ON CONFLICT (workspace_id) DO UPDATE SET last_heartbeat_at = cp_now()`;
}

/** A message as a person's page sends it. */
export function message(text: string, messageId?: string, method = "message/send") {
  return {
    jsonrpc: "2.0",
    id: "rpc-1",
    method,
    params: {
      message: {
        role: "user",
        parts: [{ kind: "text", text }],
        ...(messageId === undefined ? {} : { messageId }),
      },
    },
  };
}
