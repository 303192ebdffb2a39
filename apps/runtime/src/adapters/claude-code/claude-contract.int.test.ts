import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { installedAgentPackage } from "@molecule/testing/agent-package";
import { realPart } from "@molecule/testing/require-real";
import { startScriptedModel } from "@molecule/testing/scripted-model";
import { describe } from "vitest";
import { readEnv } from "../../env.ts";
import { jsonLog } from "../../log.ts";
import { readBootConfig } from "../../read-config.ts";
import { agentAdapterContract } from "../agent-adapter.contract.ts";
import { chooseAdapter } from "../choose-adapter.ts";

const packageDir = await installedAgentPackage(
  path.resolve(import.meta.dirname, "../../../agents/claude-code"),
);
const isHere = realPart(
  "The claude-code agent package",
  packageDir !== undefined,
  "let npm reach its registry, or install apps/runtime/agents/claude-code by hand",
);

describe.runIf(isHere)("the real agent", () => {
  agentAdapterContract("claude-code with a scripted model", async () => {
    const model = await startScriptedModel();
    const folder = await mkdtemp(path.join(tmpdir(), "molecule-claude-"));
    const [workspaceDir, homeDir] = [path.join(folder, "workspace"), path.join(folder, "home")];
    for (const each of [workspaceDir, homeDir]) await mkdir(each);
    const env = readEnv({
      PATH: `${path.dirname(process.execPath)}:/usr/bin:/bin`,
      WORKSPACE_ID: "ws-1",
      PLATFORM_URL: "http://127.0.0.1:9",
      WORKSPACE_CONFIG_PATH: folder,
      WORKSPACE_DIR_PATH: workspaceDir,
      HOME: homeDir,
      AGENT_ADAPTER: "claude-code",
      AGENT_PACKAGE_DIR: packageDir,
      ANTHROPIC_API_KEY: "sk-ant-scripted-0000000000000000",
      ANTHROPIC_BASE_URL: model.url,
    });
    const adapter = await chooseAdapter({
      env,
      config: await readBootConfig(env),
      tools: { run: async () => ({ text: "", isError: false }) },
      log: jsonLog(() => undefined, {}),
    });
    return {
      adapter,
      workspaceDir,
      quick: "@say hello",
      slow: "@slow 100",
      write: (file, content) =>
        `@tool Write ${JSON.stringify({
          file_path: path.join(workspaceDir, file),
          content: `${content}\n`,
        })}`,
      dispose: async () => {
        await model.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  });
});
