import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import {
  type PlatformToolName,
  platformToolDescriptions,
  platformToolInputs,
} from "@molecule/contracts/platform-tools";
import type { PlatformTools } from "./platform-tools.ts";

/** An MCP server, not connected yet, that offers the platform's tools. */
export function platformMcpServer(tools: PlatformTools): McpServer {
  const server = new McpServer({ name: "platform", version: "1.0.0" });
  for (const name of Object.keys(platformToolInputs) as PlatformToolName[]) {
    server.registerTool(
      name,
      { description: platformToolDescriptions[name], inputSchema: platformToolInputs[name].shape },
      async (input: unknown, extra: { readonly signal: AbortSignal }) => {
        const answer = await tools.run(name, input, extra.signal);
        return {
          content: [{ type: "text" as const, text: answer.text }],
          isError: answer.isError,
        };
      },
    );
  }
  return server;
}
