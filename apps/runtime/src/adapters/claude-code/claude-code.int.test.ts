import { mkdtemp, readFile, readlink, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { installedAgentPackage } from "@molecule/testing/agent-package";
import { realPart } from "@molecule/testing/require-real";
import { type ScriptedModel, startScriptedModel } from "@molecule/testing/scripted-model";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  answerText,
  type CallResult,
  type RuntimeFixture,
  startFixture,
  statusText,
} from "../../runtime.fixture.ts";
import { descendantsOf } from "../acp/descendants.ts";

const packageDir = await installedAgentPackage(
  path.resolve(import.meta.dirname, "../../../agents/claude-code"),
);
const isHere = realPart(
  "The claude-code agent package",
  packageDir !== undefined,
  "let npm reach its registry, or install apps/runtime/agents/claude-code by hand",
);

/** The real agent; its model is the scripted one. */
describe.runIf(isHere)("a real Claude Code agent with a scripted model", () => {
  let model: ScriptedModel;
  let fixture: RuntimeFixture;
  let folder: string;

  const start = () =>
    startFixture({
      folder,
      configYaml: "name: Ann\nmodel: anthropic/scripted-1\n",
      instructions: "Speak like a pirate.",
      env: {
        AGENT_ADAPTER: "claude-code",
        AGENT_PACKAGE_DIR: packageDir ?? "",
        ANTHROPIC_API_KEY: "sk-ant-scripted-0000000000000000",
        ANTHROPIC_BASE_URL: model.url,
      },
    });

  beforeAll(async () => {
    model = await startScriptedModel();
    folder = await mkdtemp(path.join(tmpdir(), "molecule-claude-"));
    fixture = await start();
  });

  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
    await model.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it("answers with the configured model, key and instructions, and without the platform's token", async () => {
    const result = await fixture.say("@say hello there");
    expect(result.status?.state).toBe("completed");
    expect(answerText(result)).toBe("hello there");
    const request = model.requests.find(
      ({ directive, toolNames }) => directive === "@say hello there" && toolNames.length > 0,
    );
    expect(request?.model).toBe("scripted-1");
    expect(request?.keyHeader).toBe("x-api-key");
    expect(request?.systemPrompt).toContain("Speak like a pirate.");
    expect(request?.systemPrompt).toContain('You are "Ann"');
  });

  it("writes a file in its workspace and says which tool it used", async () => {
    const file = path.join(fixture.workspaceDir, "notes.md");
    const input = JSON.stringify({ file_path: file, content: "from the agent\n" });
    const result = await fixture.say(`@tool Write ${input}`);
    expect(result.status?.state).toBe("completed");
    expect(await readFile(file, "utf8")).toBe("from the agent\n");
    expect(result.metadata?.tool_trace).toMatchObject([{ name: "Write", state: "done" }]);
  });

  it("runs a command whose environment holds no credential of the platform", async () => {
    const result = await fixture.say(
      `@tool Bash {"command":"env | sort > env.txt","description":"look"}`,
    );
    expect(result.status?.state).toBe("completed");
    const seen = await readFile(path.join(fixture.workspaceDir, "env.txt"), "utf8");
    expect(seen).not.toContain(fixture.platform.token);
    expect(seen).not.toContain(fixture.platform.inboundSecret);
    expect(seen).not.toContain("PLATFORM_URL");
  });

  it("delegates to a peer through the platform's tools", async () => {
    fixture.platform.peers = [{ id: "peer-2", name: "Bob", status: "online" }];
    const result = await fixture.say(
      '@tool mcp__platform__delegate_task {"peer":"Bob","task":"sing"}',
    );
    expect(answerText(result)).toContain("done: sing");
    expect(fixture.platform.a2aCalls).toMatchObject([{ targetId: "peer-2", text: "sing" }]);
    expect(result.metadata?.tool_trace).toMatchObject([{ name: "delegate_task", state: "done" }]);
  });

  it("C8: is told of its restart with the next turn, and no model is asked for it", async () => {
    const told = await fixture.call("message/send", {
      message: {
        kind: "message",
        role: "user",
        messageId: "restart-context:note",
        parts: [{ kind: "text", text: "You were restarted: the word is CORMORANT." }],
        metadata: { source: "platform", kind: "restart_context", restart_context: true },
      },
    });
    expect(told.status?.state).toBe("completed");
    expect(answerText(await fixture.say("@say fine", "ctx-told"))).toBe("fine");
    await fixture.say("@say twice", "ctx-untold");
    const heard = (directive: string) =>
      model.requests.find((one) => one.directive === directive && one.toolNames.length > 0)
        ?.conversation;
    expect(heard("@say fine")).toContain("CORMORANT");
    expect(heard("@say twice")).not.toContain("CORMORANT");
    // Whatever else the agent asks its model for by itself: nothing came of the note alone.
    const carrying = model.requests.filter((one) => one.conversation.includes("CORMORANT"));
    expect(new Set(carrying.map((one) => one.directive))).toEqual(new Set(["@say fine"]));
  });

  it("keeps a conversation per context, also over a restart of the runtime", async () => {
    await fixture.say("@say the word is ALBATROSS", "ctx-memory");
    await fixture[Symbol.asyncDispose]();
    fixture = await start();
    const result = await fixture.say("@hist", "ctx-memory");
    expect(answerText(result)).toContain("ALBATROSS");
    const other = await fixture.say("@hist", "ctx-other");
    expect(answerText(other)).not.toContain("ALBATROSS");
  });

  it("ends a streaming turn on cancel and takes the next message of the same conversation", async () => {
    const events: CallResult[] = [];
    for await (const event of fixture.stream("@slow 100", "ctx-cancel")) {
      events.push(event);
      const ticks = events.filter(({ kind }) => kind === "artifact-update").length;
      if (ticks === 2) await fixture.call("tasks/cancel", { id: events[0]?.id });
    }
    expect(events.at(-1)?.status?.state).toBe("canceled");
    const next = await fixture.say("@say still here", "ctx-cancel");
    expect(answerText(next)).toBe("still here");
  });

  it("ends a turn on cancel while the model hangs", async () => {
    let taskId: string | undefined;
    let last: CallResult | undefined;
    for await (const event of fixture.stream("@hang", "ctx-hang")) {
      last = event;
      taskId ??= event.id;
      if (event.status?.state !== "working") continue;
      await waitUntil("the model was asked", () =>
        model.requests.some(({ directive }) => directive === "@hang"),
      );
      await fixture.call("tasks/cancel", { id: taskId });
    }
    expect(last?.status?.state).toBe("canceled");
  });

  it.each([
    [401, "ANTHROPIC_API_KEY", true],
    [404, "scripted-1", false],
    [429, "limiting requests", false],
    [500, "an error of its own", false],
    [400, "refused the request", false],
  ])("explains a %i of the provider with a sentence", async (status, expected, isCredentials) => {
    const result = await fixture.say(`@err ${status}`);
    expect(result.status?.state).toBe("failed");
    expect(statusText(result)).toContain("Agent error:");
    expect(statusText(result)).toContain(expected);
    expect(result.metadata?.is_credentials).toBe(isCredentials);
  });

  it("starts a new process after the agent was killed, and the conversation goes on", async () => {
    await fixture.say("@say the word is PELICAN", "ctx-killed");
    for (const { pid } of await descendantsOf(process.pid)) {
      const args = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
      if (args.includes("claude-agent-acp")) process.kill(pid, "SIGKILL");
    }
    const result = await fixture.say("@hist", "ctx-killed");
    expect(answerText(result)).toContain("PELICAN");
  });

  it("leaves no process behind when it is stopped in the middle of a command", async () => {
    const turn = fixture.say(
      `@tool Bash {"command":"tail -f /dev/null | cat & setsid sleep 987654 & echo $$ > started; tail -f /dev/null","description":"wait"}`,
    );
    turn.catch(() => undefined);
    await waitUntil("the command runs", () =>
      readFile(path.join(fixture.workspaceDir, "started"), "utf8").catch(() => undefined),
    );
    const before = await descendantsOf(process.pid);
    expect(before.length).toBeGreaterThan(3);
    await fixture.runtime.stop();
    expect(await agentProcesses(fixture.workspaceDir)).toEqual([]);
  });
});

describe("a claude-code workspace that cannot start", () => {
  it("names the missing key", async () => {
    const env = { AGENT_ADAPTER: "claude-code", AGENT_PACKAGE_DIR: "/nowhere" };
    await expect(startFixture({ env })).rejects.toThrow("ANTHROPIC_API_KEY");
  });

  it("says that the package is not installed", async () => {
    const env = {
      AGENT_ADAPTER: "claude-code",
      AGENT_PACKAGE_DIR: "/nowhere",
      ANTHROPIC_API_KEY: "sk-ant-scripted-0000000000000000",
    };
    await expect(startFixture({ env })).rejects.toThrow("not installed");
  });
});

/** Command lines of what the agent of `workspaceDir` left there, wherever it was re-parented. */
async function agentProcesses(workspaceDir: string): Promise<string[]> {
  const pids = [...(await descendantsOf(process.pid)), ...(await descendantsOf(1))];
  const lines = await Promise.all(
    pids.map(async ({ pid }) => {
      const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => "");
      if (!cwd.startsWith(workspaceDir)) return "";
      return await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    }),
  );
  return lines.filter((line) => /claude-agent-(?:acp|sdk)|tail\0-f\0\/dev\/null|987654/.test(line));
}
