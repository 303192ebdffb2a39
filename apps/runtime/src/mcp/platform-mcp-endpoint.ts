import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";
import { platformMcpServer } from "@molecule/runtime-sdk/platform-mcp-server";
import type { PlatformTools } from "@molecule/runtime-sdk/platform-tools";
import type { Log } from "../log.ts";

/** Access of one conversation to the platform's tools. */
export interface McpPass {
  readonly url: string;
  /** Goes into the `Authorization` header as a bearer. */
  readonly token: string;
  /** The token is worthless afterwards. */
  readonly revoke: () => void;
}

/** Longest body in bytes: the longest task and its envelope. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/**
 * The platform's tools over MCP on loopback. Other agents share the loopback interface, so each
 * conversation has its own bearer and nothing answers without one.
 */
export class PlatformMcpEndpoint {
  readonly #server: Server;
  readonly #tools: PlatformTools;
  readonly #log: Log;
  readonly #passes = new Set<string>();

  private constructor(tools: PlatformTools, log: Log) {
    this.#tools = tools;
    this.#log = log;
    this.#server = createServer((req, res) => {
      this.#answer(req, res).catch((error: unknown) => {
        this.#log.warn("a tool call broke", { error });
        if (!res.headersSent) refuse(res, 500, "The tool call failed.");
      });
    });
  }

  /** Listens on a free loopback port. */
  static async start(tools: PlatformTools, log: Log): Promise<PlatformMcpEndpoint> {
    const endpoint = new PlatformMcpEndpoint(tools, log);
    await new Promise<void>((resolve, reject) => {
      endpoint.#server.once("error", reject);
      endpoint.#server.listen(0, "127.0.0.1", () => resolve());
    });
    return endpoint;
  }

  /** A new bearer that the endpoint accepts until it is revoked. */
  issuePass(): McpPass {
    const token = randomBytes(32).toString("base64url");
    const digest = digestOf(token);
    this.#passes.add(digest);
    this.#log.hide(token);
    const { port } = this.#server.address() as AddressInfo;
    return {
      url: `http://127.0.0.1:${port}/mcp`,
      token,
      revoke: () => this.#passes.delete(digest),
    };
  }

  async stop(): Promise<void> {
    this.#passes.clear();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const given = req.headers.authorization ?? "";
    if (!given.startsWith("Bearer ") || !this.#passes.has(digestOf(given.slice(7)))) {
      refuse(res, 401, "These tools belong to another agent.");
      return;
    }
    if (req.method !== "POST") {
      refuse(res, 405, "Only POST is served here.");
      return;
    }
    const body = await readJson(req);
    if (body === undefined) {
      refuse(res, 400, "The call could not be understood.");
      return;
    }
    const transport = new StreamableHTTPServerTransport({});
    const server = platformMcpServer(this.#tools);
    res.on("close", () => {
      void transport.close();
      void server.close();
    });
    await server.connect(transport as Transport);
    await transport.handleRequest(req, res, body);
  }
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("hex");
}

function refuse(res: ServerResponse, status: number, sentence: string): void {
  res.writeHead(status, { "content-type": "application/json" });
  res.end(JSON.stringify({ error: sentence }));
}

async function readJson(req: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of req as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    return undefined;
  }
}
