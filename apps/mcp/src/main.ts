import { mkdir } from "node:fs/promises";
import process from "node:process";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { credentialFiles } from "@molecule/runtime-sdk/credential-files";
import { Inbox } from "@molecule/runtime-sdk/inbox";
import { platformClient } from "@molecule/runtime-sdk/platform-client";
import { toolServer } from "@molecule/runtime-sdk/tool-server";
import { agentTools } from "./agent-tools.ts";
import { type McpEnv, readEnv } from "./env.ts";
import { keepPresent } from "./keep-present.ts";
import { Standing } from "./standing.ts";

/** What clients of this program know a refused token by. Source: wire contract §5.1. */
const EXIT_REFUSED = 3;

const INSTRUCTIONS =
  "You are one agent of an organisation. These tools reach the other agents and the person. Messages to you wait in an inbox: look there with wait_for_message, answer, then take them out with inbox_pop.";

/** Standard output belongs to the protocol, so people are told on standard error. */
function tell(sentence: string): void {
  process.stderr.write(`molecule-mcp: ${sentence}\n`);
}

async function main(env: McpEnv): Promise<void> {
  await prepareFolder(env.configsDir);
  const credentials = credentialFiles({ folder: env.configsDir, fixedToken: env.token });
  const { platformUrl, workspaceId } = env;
  const client = platformClient({ platformUrl, workspaceId, credentials });
  const standing = new Standing({
    client,
    platformUrl,
    tokenFrom:
      env.token === undefined
        ? { file: `${env.configsDir}/.auth_token` }
        : { variable: "MOLECULE_WORKSPACE_TOKEN" },
  });
  const inbox = env.isPresent ? new Inbox({ client, folder: env.configsDir }) : undefined;
  const info = { name: "molecule", instructions: INSTRUCTIONS };
  const filesFolder = `${env.configsDir}/files`;
  const server = toolServer(info, agentTools({ client, standing, inbox, filesFolder }));
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
    standing,
    tell,
    signal: stopping.signal,
    registration: { url: "", agentCard: cardOf(env), deliveryMode: "poll" },
  });
  if (absence === "stopped") return;
  if (absence === "refused") {
    tell(await standing.explainRefusedToken());
    process.exit(EXIT_REFUSED);
  }
  // The tools stay, because they tell the model what the person reads here.
  tell(standing.sentenceOf(absence, true));
}

/** @throws Error naming the folder and the variable that chooses another one. */
async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: unknown) => {
    throw new Error(
      `The folder ${folder} cannot be made. Set CONFIGS_DIR to one that can be written.`,
      { cause },
    );
  });
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
