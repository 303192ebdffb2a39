import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import type { z } from "zod";
import type { ToolAnswer } from "./platform-tools.ts";

/** One tool as it is offered to a model. */
export interface OfferedTool {
  readonly name: string;
  readonly description: string;
  readonly input: z.ZodRawShape;
  /** Never throws: what went wrong is a sentence the model can act on. */
  readonly run: (input: unknown, signal: AbortSignal) => Promise<ToolAnswer>;
}

/** How the server calls itself. */
export interface ToolServerInfo {
  readonly name: string;
  /** Told to every client that connects, for its model. */
  readonly instructions?: string;
}

/** An MCP server, not connected yet, that offers these tools. */
export function toolServer(info: ToolServerInfo, tools: readonly OfferedTool[]): McpServer {
  const { name, instructions } = info;
  const server = new McpServer(
    { name, version: "1.0.0" },
    instructions === undefined ? {} : { instructions },
  );
  for (const tool of tools) {
    server.registerTool(
      tool.name,
      { description: tool.description, inputSchema: tool.input },
      async (input: unknown, extra: { readonly signal: AbortSignal }) => {
        const answer = await tool.run(input, extra.signal);
        return {
          content: [{ type: "text" as const, text: answer.text }],
          isError: answer.isError,
        };
      },
    );
  }
  return server;
}
