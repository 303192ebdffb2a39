import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import type { ScriptedModel } from "@molecule/testing/scripted-model";
import type { Platform } from "../platform.ts";

/** What an agent runs with, as the agent has it. */
export interface Running {
  readonly model: string | null;
  readonly provider: string | null;
  readonly instructions: string;
  readonly tier: number;
  readonly skills: readonly string[];
  /** Each with the version that lies beside its settings. */
  readonly plugins: readonly string[];
  /** SHA-256 of each secret by its name. */
  readonly keys: Readonly<Record<string, string>>;
  /** Content of each file that came with its settings. */
  readonly files: Readonly<Record<string, string>>;
}

/** Where an agent is found. */
export interface Place {
  readonly platform: Platform;
  /** `MOLECULE_HOME` of the platform, whose process backend runs it. */
  readonly home: string;
  readonly id: string;
  /** Names of the files that are looked for. */
  readonly files: readonly string[];
}

/** Asks an agent of one runtime, in words and by looking at its process. */
export type Asker = (place: Place) => Promise<Running>;

export function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** The environment of the newest process that carries the workspace's marker. */
async function environmentOf(id: string): Promise<ReadonlyMap<string, string>> {
  let newest: ReadonlyMap<string, string> = new Map();
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const text = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
    if (!text.includes(`WORKSPACE_ID=${id}\0`)) continue;
    const env = new Map(
      text.split("\0").map((line): [string, string] => {
        const at = line.indexOf("=");
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
    const attemptOf = (one: ReadonlyMap<string, string>) =>
      Number(one.get("MOLECULE_ATTEMPT") ?? 0);
    if (attemptOf(env) > attemptOf(newest)) newest = env;
  }
  return newest;
}

/** What every runtime of ours is given by its environment. */
async function givenTo(id: string) {
  const env = await environmentOf(id);
  const names = (env.get("AGENT_SECRET_NAMES") ?? "").split(",").filter((name) => name !== "");
  return {
    model: env.get("MODEL") ?? null,
    provider: env.get("LLM_PROVIDER") ?? null,
    tier: Number(env.get("TIER")),
    keys: Object.fromEntries(names.map((name) => [name, sha256(env.get(name) ?? "")])),
  };
}

/** The demo agent says what it was started with; files are as they lie beside it. */
export const askDemo: Asker = async ({ platform, home, id, files }) => {
  const said = await platform.ask(id, "Which settings?");
  const line = (name: string) => {
    const value = new RegExp(`^- ${name}: (.*)$`, "m").exec(said)?.[1] ?? "";
    return value === "none" || value.startsWith("none set") ? "" : value;
  };
  const given = await givenTo(id);
  const keys = line("Keys");
  if (keys !== Object.keys(given.keys).sort().join(", ")) {
    throw new Error(`it says its keys are ${keys}, and its process has others`);
  }
  const found = await Promise.all(
    files.map(async (name): Promise<[string, string][]> => {
      if (!line("Files").includes(`\`${name}\` (`)) return [];
      const file = path.join(home, "workspaces", id, "configs", name);
      return [[name, await readFile(file, "utf8")]];
    }),
  );
  const model = line("Model").replace(" (a demo agent calls no model)", "");
  return {
    model: model === "" ? null : model,
    provider: line("Provider") === "" ? null : line("Provider"),
    instructions: line("Instructions"),
    tier: Number(line("Tier")),
    skills: line("Skills")
      .split(", ")
      .filter((name) => name !== ""),
    plugins: line("Plugins")
      .split(", ")
      .filter((name) => name !== ""),
    keys: given.keys,
    files: Object.fromEntries(found.flat()),
  };
};

/**
 * Claude Code is asked through its model: what that was asked for, and what a command sees that the agent
 * runs. Its provider and tier are its runtime's; it has no use for them itself.
 */
export function askClaude(model: ScriptedModel): Asker {
  return async ({ platform, id, files }) => {
    const given = await givenTo(id);
    const names = Object.keys(given.keys).join(" ");
    const command = [
      `for k in ${names}; do echo "K $k $(printenv $k | tr -d '\\n' | sha256sum | cut -c1-64) ;"; done`,
      `for f in config.yaml ${files.join(" ")}; do [ -f ../configs/$f ] && echo "F $f $(base64 -w0 ../configs/$f) ;"; done`,
      `for p in ../configs/plugins/*/plugin.yaml; do [ -f $p ] && echo "P $(sed -n 's/^name: //p' $p) $(sed -n 's/^version: //p' $p) ;"; done`,
      `echo "M $ANTHROPIC_MODEL ;"`,
    ].join("; ");
    const input = JSON.stringify({ command, description: "look" });
    const said = await platform.ask(id, `@tool Bash ${input}`);
    const rows = (kind: string) =>
      [...said.matchAll(new RegExp(`\\b${kind} (\\S+)(?: (\\S*))? ;`, "g"))].map(
        ([, name = "", value = ""]): [string, string] => [name, value],
      );
    const found = Object.fromEntries(
      rows("F").map(([name, text]) => [name, Buffer.from(text, "base64").toString("utf8")]),
    );
    const { "config.yaml": config = "", ...others } = found;
    const asked = model.requests.findLast(({ toolNames }) => toolNames.includes("Bash"));
    const own = rows("M")[0]?.[0] ?? "";
    if (asked?.model !== own || (given.model !== null && !given.model.endsWith(own))) {
      throw new Error(`its model was asked for as ${asked?.model}, its own is ${own}`);
    }
    // A conversation that goes on keeps the prompt it began with, and is told what replaces it.
    const replaced = [
      ...asked.conversation.matchAll(
        /These replace the earlier ones:\n\n([\s\S]*?)\n<\/system-reminder>/g,
      ),
    ];
    const prompt = replaced.at(-1)?.[1] ?? asked.systemPrompt;
    const told = /You are "[^"]*"[^\n]*\n\n([\s\S]*)$/.exec(prompt)?.[1] ?? "";
    const listed = /^skills:\n((?: {2}- .*\n)*)/m.exec(config)?.[1] ?? "";
    const skills = [...listed.matchAll(/- "(.*)"/g)].map(([, name = ""]) => name);
    return {
      ...given,
      instructions: told.split("\n")[0] ?? "",
      skills,
      plugins: rows("P").map(([name, version]) => `${name} ${version}`),
      keys: Object.fromEntries(rows("K")),
      files: others,
    };
  };
}
