import type { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import {
  type PlatformToolName,
  platformToolDescriptions,
  platformToolInputs,
} from "@molecule/contracts/platform-tools";
import type { PlatformTools } from "./platform-tools.ts";
import { toolServer } from "./tool-server.ts";

/** An MCP server, not connected yet, that offers the platform's tools. */
export function platformMcpServer(tools: PlatformTools): McpServer {
  const names = Object.keys(platformToolInputs) as PlatformToolName[];
  return toolServer(
    { name: "platform" },
    names.map((name) => ({
      name,
      description: platformToolDescriptions[name],
      input: platformToolInputs[name].shape,
      run: (input, signal) => tools.run(name, input, signal),
    })),
  );
}
