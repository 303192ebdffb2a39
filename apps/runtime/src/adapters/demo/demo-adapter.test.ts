import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { PlatformTools, ToolAnswer } from "@molecule/runtime-sdk/platform-tools";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { BootConfig } from "../../read-config.ts";
import { agentAdapterContract } from "../agent-adapter.contract.ts";
import { demoAdapter } from "./demo-adapter.ts";

const config: BootConfig = {
  name: "Ann",
  description: "Keeps the notes",
  version: "1.0.0",
  model: "demo-large",
  provider: undefined,
  instructions: "\nBe brief.\nBe kind.\n",
  skills: ["notes"],
  plugins: [],
  delegateTimeoutMs: 1000,
};

/** Answers every tool with what it was called with. */
const echoTools: PlatformTools = {
  run: async (name, input): Promise<ToolAnswer> => ({
    text: `${name} ${JSON.stringify(input)}`,
    isError: false,
  }),
};

function adapterIn(workspaceDir: string, own: Partial<BootConfig> = {}) {
  return demoAdapter({
    config: { ...config, ...own },
    attempt: 7,
    tier: "2",
    secretNames: ["OPENAI_API_KEY"],
    configDir: workspaceDir,
    workspaceDir,
    tools: echoTools,
    wordDelayMs: 0,
    countDelayMs: 100,
  });
}

agentAdapterContract("demo", async () => {
  const workspaceDir = await mkdtemp(path.join(tmpdir(), "molecule-demo-"));
  return {
    adapter: adapterIn(workspaceDir),
    workspaceDir,
    quick: "help",
    slow: "count slowly to 100",
    write: (file, content) => `write ${file}: ${content}`,
    dispose: () => rm(workspaceDir, { recursive: true, force: true }),
  };
});

describe("the demo agent", () => {
  let workspaceDir: string;
  beforeEach(async () => {
    workspaceDir = await mkdtemp(path.join(tmpdir(), "molecule-demo-"));
  });
  afterEach(() => rm(workspaceDir, { recursive: true, force: true }));

  const ask = async (text: string, own: Partial<BootConfig> = {}): Promise<string> => {
    let answer = "";
    const parts = [{ kind: "text", text }] as const;
    const { signal } = new AbortController();
    for await (const event of adapterIn(workspaceDir, own).prompt("c", parts, signal)) {
      if (event.kind === "text") answer += event.text;
      if (event.kind === "done") expect(event.outcome).toBe("completed");
    }
    return answer;
  };

  it("says that it is a demo agent", async () => {
    expect(await ask("Who are you?")).toContain("demo agent");
    expect(await ask("What is the meaning of life?")).toContain("without a language model");
  });

  it("ends its role with one full stop, whoever wrote it", async () => {
    for (const description of ["Keeps the notes", "Keeps the notes."]) {
      const answer = await ask("who are you", { description });
      expect(answer).toContain("My role: Keeps the notes.");
      expect(answer).not.toContain("..");
    }
  });

  it("reports what it was started with", async () => {
    const answer = await ask("Which model, settings and instructions are you running with?");
    expect(answer).toContain("Model: demo-large");
    expect(answer).toContain("Instructions: Be brief.");
    expect(answer).toContain("Attempt: 7");
    expect(answer).toContain("Skills: notes\n- Plugins: none");
  });

  it("names its keys and the files beside its settings, and no credential", async () => {
    for (const file of [".auth_token", "config.yaml", "system-prompt.md"]) {
      await writeFile(path.join(workspaceDir, file), "x");
    }
    expect(await ask("Which settings?")).toContain("Keys: OPENAI_API_KEY\n- Files: none");
    await writeFile(path.join(workspaceDir, "style.md"), "brief");
    const answer = await ask("Which settings?");
    expect(answer).toContain("Files: `style.md` (5 bytes)");
    expect(answer).not.toContain("auth_token");
  });

  it("writes, lists and reads files of its own folder", async () => {
    expect(await ask("Please write plans/today.md: water the plants")).toContain(
      "`plans/today.md`",
    );
    expect(await readFile(path.join(workspaceDir, "plans/today.md"), "utf8")).toBe(
      "water the plants\n",
    );
    expect(await ask("list files")).toContain("`plans/today.md` (17 bytes)");
    expect(await ask("read plans/today.md")).toContain("water the plants");
  });

  it("refuses to leave its folder", async () => {
    await writeFile(path.join(path.dirname(workspaceDir), "outside.txt"), "secret");
    expect(await ask("read ../outside.txt")).not.toContain("secret");
    expect(await ask("read /etc/passwd")).toContain("cannot be used");
  });

  it("delegates, lists peers and notifies through the platform's tools", async () => {
    expect(await ask("delegate to Bob: sing a song")).toContain(
      'delegate_task {"peer":"Bob","task":"sing a song"}',
    );
    expect(await ask("who are my peers?")).toContain("list_peers");
    expect(await ask("tell me: lunch is ready")).toContain(
      'send_message_to_user {"message":"lunch is ready"}',
    );
  });
});
