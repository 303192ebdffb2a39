import { setTimeout as delay } from "node:timers/promises";
import { isDomainError } from "@molecule/domain/errors";
import type { AgentAdapter, AgentEvent, PromptPart } from "@molecule/runtime-sdk/agent-adapter";
import { SafeFiles } from "@molecule/runtime-sdk/files/safe-files";
import type { PlatformTools } from "@molecule/runtime-sdk/platform-tools";
import type { BootConfig } from "../../read-config.ts";
import { readPlugins } from "../../read-plugins.ts";
import { type DemoRequest, understand } from "./understand.ts";

/** What the demo agent works with. */
export interface DemoAdapterDeps {
  readonly config: BootConfig;
  readonly attempt: number;
  readonly tier: string | undefined;
  /** Names of the workspace's secrets. */
  readonly secretNames: readonly string[];
  readonly configDir: string;
  readonly workspaceDir: string;
  readonly tools: PlatformTools;
  /** Pause between words in ms; default 15, so that an eye sees the answer grow. */
  readonly wordDelayMs?: number | undefined;
  /** Pause between numbers of a slow count in ms; default 500. */
  readonly countDelayMs?: number | undefined;
}

const WORD_DELAY_MS = 15;
const COUNT_DELAY_MS = 500;
/** Longest file that is shown in an answer, in characters. */
const MAX_SHOWN = 20_000;

/** Files of `/configs` that an answer about its settings names, and how deep they may lie. */
const MAX_FILES = 30;
const FILES_DEPTH = 5;
const NOT_LISTED = /(?:^|\/)\.|^(?:config\.yaml|system-prompt\.md)$/;

/** What the platform last told it. */
interface Memory {
  note: string | null;
}

interface Remembering extends DemoAdapterDeps {
  readonly memory: Memory;
}

const ABILITIES = [
  '"list files", "read notes.md", "write notes.md: some text"',
  '"who are you", "which model are you running with"',
  '"why were you restarted"',
  '"who are my peers", "delegate to NAME: a task"',
  '"tell me: a message", "count slowly to 10"',
] as const;

/**
 * A small deterministic agent without a model: it says that it is one, understands a handful of plain
 * requests, and works in its own folder only.
 */
export function demoAdapter(deps: DemoAdapterDeps): AgentAdapter {
  const stopping = new AbortController();
  const memory: Memory = { note: null };
  return {
    name: "demo",
    start: async () => undefined,
    prompt: (_contextId, parts, signal) =>
      turn({ ...deps, memory }, parts, AbortSignal.any([signal, stopping.signal])),
    stop: async () => stopping.abort(),
  };
}

async function* turn(
  deps: Remembering,
  parts: readonly PromptPart[],
  signal: AbortSignal,
): AsyncGenerator<AgentEvent> {
  try {
    yield* answer(deps, parts, signal);
    yield { kind: "done", outcome: "completed" };
  } catch (error) {
    if (signal.aborted) {
      yield { kind: "done", outcome: "cancelled" };
    } else {
      const sentence = isDomainError(error)
        ? error.message
        : "The demo agent could not do this because of an internal error.";
      yield { kind: "done", outcome: "failed", sentence, isCredentials: false };
    }
  }
}

async function* answer(
  deps: Remembering,
  parts: readonly PromptPart[],
  signal: AbortSignal,
): AsyncGenerator<AgentEvent> {
  signal.throwIfAborted();
  const text = parts.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n");
  const files = parts.flatMap((part) => (part.kind === "file" ? [part.name] : []));
  const notes = parts.flatMap((part) => (part.kind === "note" ? [part.text] : []));
  deps.memory.note = notes.at(-1) ?? deps.memory.note;
  const request = understand(text);
  if (files.length > 0) {
    yield* say(
      deps,
      signal,
      `You sent ${files.join(", ")}. It is in \`.molecule/chat-uploads\`.\n\n`,
    );
    if (text.trim() === "") return;
  }
  if (request.kind === "count") {
    yield* count(deps, request.to, signal);
    return;
  }
  yield* say(deps, signal, yield* perform(deps, request, signal));
}

/** Does what was asked, telling each step, and answers what to say. */
async function* perform(
  deps: Remembering,
  request: Exclude<DemoRequest, { kind: "count" }>,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, string> {
  switch (request.kind) {
    case "help":
      return `I am ${deps.config.name}, a demo agent without a language model. I understand:\n\n${bullets(ABILITIES)}`;
    case "who":
      return `I am **${deps.config.name}**, a demo agent: deterministic, without a language model and without a key.${roleOf(deps.config)} Say "help" to see what I understand.`;
    case "settings":
      return await settings(deps);
    case "restart":
      return deps.memory.note === null
        ? "Nobody has told me of a restart."
        : `The platform told me:\n\n\`\`\`\n${deps.memory.note}\n\`\`\``;
    case "unknown":
      return unknown(deps, request.text);
    case "list":
    case "read":
    case "write":
      return yield* onFiles(deps, request);
    case "peers":
      return yield* onPlatform(
        deps,
        { name: "list_peers", doing: "Looking up peers", input: {} },
        signal,
      );
    case "delegate": {
      const { peer, task } = request;
      const step = {
        name: "delegate_task",
        doing: `Waiting for ${peer}`,
        input: { peer, task },
      } as const;
      const reply = yield* onPlatform(deps, step, signal);
      return `${peer} says:\n\n${reply}`;
    }
    case "notify": {
      const input = { message: request.message };
      const step = { name: "send_message_to_user", doing: "Sending a message", input } as const;
      return yield* onPlatform(deps, step, signal);
    }
  }
}

async function* onFiles(
  deps: DemoAdapterDeps,
  request: Extract<DemoRequest, { kind: "list" | "read" | "write" }>,
): AsyncGenerator<AgentEvent, string> {
  const files = new SafeFiles(deps.workspaceDir);
  const target = request.kind === "list" ? request.folder : ownPath(request.file);
  const doing = { list: "Listing files", read: `Reading ${target}`, write: `Writing ${target}` };
  const tool = {
    kind: "tool",
    id: `${request.kind}-1`,
    name: request.kind === "list" ? "list_files" : `${request.kind}_file`,
    detail: target,
  } as const;
  yield { kind: "status", text: doing[request.kind] };
  yield { ...tool, state: "running" };
  try {
    const said = await fileAnswer(files, request, target);
    yield { ...tool, state: "done" };
    return said;
  } catch (error) {
    yield { ...tool, state: "failed" };
    if (isDomainError(error)) return error.message;
    throw error;
  }
}

async function fileAnswer(
  files: SafeFiles,
  request: Extract<DemoRequest, { kind: "list" | "read" | "write" }>,
  target: string,
): Promise<string> {
  switch (request.kind) {
    case "list": {
      const { entries, truncated } = await files.list(target, 2);
      if (entries.length === 0) return "The folder is empty.";
      const lines = entries.map((entry) =>
        entry.dir ? `\`${entry.path}/\`` : `\`${entry.path}\` (${entry.size} bytes)`,
      );
      return `${bullets(lines)}${truncated ? "\n\nThere are more; this is where the list stops." : ""}`;
    }
    case "read": {
      const text = (await files.read(target)).toString("utf8");
      const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}\n…` : text;
      return text === ""
        ? `${target} is empty.`
        : `${target}:\n\n\`\`\`\n${shown.trimEnd()}\n\`\`\``;
    }
    case "write": {
      const content = request.content === "" ? "" : `${request.content}\n`;
      await files.write(target, Buffer.from(content));
      return `I wrote ${Buffer.byteLength(content)} bytes to \`${target}\`.`;
    }
  }
}

interface PlatformStep {
  readonly name: "list_peers" | "delegate_task" | "send_message_to_user";
  readonly doing: string;
  readonly input: Readonly<Record<string, string>>;
}

async function* onPlatform(
  deps: DemoAdapterDeps,
  step: PlatformStep,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, string> {
  const tool = {
    kind: "tool",
    id: step.name,
    name: step.name,
    detail: step.input.peer ?? "",
  } as const;
  yield { kind: "status", text: step.doing };
  yield { ...tool, state: "running" };
  const result = await deps.tools.run(step.name, step.input, signal);
  signal.throwIfAborted();
  yield { ...tool, state: result.isError ? "failed" : "done" };
  return result.text;
}

/** What it was started with, as it has it; of its keys the names alone. */
async function settings(deps: DemoAdapterDeps): Promise<string> {
  const { config } = deps;
  const files = await filesBesideSettings(deps.configDir);
  const plugins = await pluginsBesideSettings(deps);
  const firstLine = config.instructions.split("\n").find((line) => line.trim() !== "");
  return `This is what I was started with:\n\n${bullets([
    `Model: ${config.model ?? "none set"} (a demo agent calls no model)`,
    `Provider: ${config.provider ?? "none set"}`,
    `Instructions: ${firstLine === undefined ? "none" : firstLine.trim()}`,
    `Tier: ${deps.tier ?? "not set"}`,
    `Attempt: ${deps.attempt}`,
    `Role: ${orNone(config.description.trim())}`,
    `Skills: ${orNone(config.skills.join(", "))}`,
    `Plugins: ${orNone(plugins.join(", "))}`,
    `Keys: ${orNone([...deps.secretNames].sort().join(", "))}`,
    `Files: ${orNone(files.join(", "))}`,
  ])}`;
}

function orNone(text: string): string {
  return text === "" ? "none" : text;
}

/** Plugins with the version that lies there; those that are only named, by name. */
async function pluginsBesideSettings({ config, configDir }: DemoAdapterDeps): Promise<string[]> {
  const found = await readPlugins(configDir, "demo");
  const named = config.plugins.filter((name) => found.every((plugin) => plugin.name !== name));
  return [...found.map(({ name, version }) => `${name} ${version}`), ...named];
}

/** The files that came with the settings, without what shows them and without credentials. */
async function filesBesideSettings(configDir: string): Promise<string[]> {
  const { entries } = await new SafeFiles(configDir).list("", FILES_DEPTH);
  const own = entries.filter(({ path, dir }) => !dir && !NOT_LISTED.test(path));
  const shown = own.slice(0, MAX_FILES).map(({ path, size }) => `\`${path}\` (${size} bytes)`);
  return own.length > MAX_FILES ? [...shown, `${own.length - MAX_FILES} more`] : shown;
}

function unknown(deps: DemoAdapterDeps, text: string): string {
  const heard = text === "" ? "Your message was empty." : `You said: "${text.slice(0, 500)}".`;
  return `${heard} I am ${deps.config.name}, a demo agent without a language model, so I cannot answer freely. I understand:\n\n${bullets(ABILITIES)}`;
}

async function* count(
  deps: DemoAdapterDeps,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent> {
  yield { kind: "status", text: `Counting to ${to}` };
  for (let number = 1; number <= to; number += 1) {
    signal.throwIfAborted();
    yield { kind: "text", text: number === 1 ? "1" : ` ${number}` };
    await delay(deps.countDelayMs ?? COUNT_DELAY_MS, undefined, { signal });
  }
}

async function* say(
  deps: DemoAdapterDeps,
  signal: AbortSignal,
  text: string,
): AsyncGenerator<AgentEvent> {
  for (const word of text.match(/\s*\S+|\s+$/g) ?? []) {
    signal.throwIfAborted();
    yield { kind: "text", text: word };
    await delay(deps.wordDelayMs ?? WORD_DELAY_MS, undefined, { signal });
  }
}

function ownPath(file: string): string {
  return file.replace(/^(?:\.\/|\/workspace\/)/, "");
}

function roleOf(config: BootConfig): string {
  const role = config.description.trim();
  if (role === "") return "";
  return ` My role: ${/[.!?…]$/.test(role) ? role : `${role}.`}`;
}

function bullets(lines: readonly string[]): string {
  return lines.map((line) => `- ${line}`).join("\n");
}
