import process from "node:process";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { credentialFiles } from "@molecule/runtime-sdk/credential-files";
import { platformClient } from "@molecule/runtime-sdk/platform-client";
import { platformMcpServer } from "@molecule/runtime-sdk/platform-mcp-server";
import { platformTools } from "@molecule/runtime-sdk/platform-tools";
import { type McpEnv, readEnv } from "./env.ts";
import { type Absence, keepPresent } from "./keep-present.ts";

/** What clients of this program know a refused token by. Source: wire contract §5.1. */
const EXIT_REFUSED = 3;

/** Standard output belongs to the protocol, so people are told on standard error. */
function tell(sentence: string): void {
  process.stderr.write(`molecule-mcp: ${sentence}\n`);
}

async function main(env: McpEnv): Promise<void> {
  const client = platformClient({
    platformUrl: env.platformUrl,
    workspaceId: env.workspaceId,
    credentials: credentialFiles({ folder: env.configsDir, fixedToken: env.token }),
  });
  const server = platformMcpServer(platformTools(client));
  const stopping = new AbortController();
  const stop = async () => {
    stopping.abort();
    await server.close();
    process.exit(0);
  };
  process.once("SIGTERM", () => void stop());
  process.once("SIGINT", () => void stop());
  process.stdin.once("close", () => void stop());
  await server.connect(new StdioServerTransport());
  if (!env.isPresent) return;
  const absence = await keepPresent({
    client,
    signal: stopping.signal,
    registration: { url: "", agentCard: cardOf(env), deliveryMode: "poll" },
  });
  endAfter(absence);
}

/** Ends the program when its tools have become useless. */
function endAfter(absence: Absence): void {
  if (absence === "stopped") return;
  if (absence === "refused") {
    tell("the platform does not accept the token. Set MOLECULE_WORKSPACE_TOKEN to a valid one.");
    process.exit(EXIT_REFUSED);
  }
  tell(`the workspace was ${absence}, so these tools end.`);
  process.exit(0);
}

function cardOf(env: McpEnv): Readonly<Record<string, unknown>> {
  return {
    name: env.agentName,
    skills: env.agentSkills.map((skill) => ({ id: skill, name: skill, description: "", tags: [] })),
    ...(env.agentDescription === undefined ? {} : { description: env.agentDescription }),
  };
}

try {
  await main(readEnv());
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
