import type { ConfigDocument } from "@molecule/contracts/panel";
import { expect, test } from "vitest";
import { EMPTY_CONFIG_DRAFT, editField } from "./config-draft.ts";
import { editFile } from "./file-draft.ts";
import {
  outcomeText,
  type StagedDraft,
  saveInputOf,
  stagedChanges,
  stagedSentence,
} from "./staged-save.ts";

const document: ConfigDocument = {
  version: 7,
  generation: 3,
  runtime: "demo",
  backend: "process",
  template: null,
  sources: {
    model: "workspace",
    provider: "default",
    instructions: "workspace",
    description: "default",
    tier: "template",
    applyPolicy: "default",
    sleepAfterMinutes: "default",
  },
  skills: [],
  plugins: [],
  installedPlugins: [],
  leavingPlugins: [],
  resources: { tier: 2, maxConcurrentTasks: 1, budgetLimit: null },
  capabilities: { restart: true, liveFiles: true, sleep: true, reported: {} },
  schedules: { count: 0, enabled: 0, nextRunAt: null },
  failed: {},
  desired: {
    model: "opus",
    provider: null,
    instructions: "Be brief.",
    description: "",
    tier: 2,
    applyPolicy: "settle",
    sleepAfterMinutes: null,
  },
  effective: null,
  models: [],
  providers: [],
  pending: [],
};
const clean: StagedDraft = { config: EMPTY_CONFIG_DRAFT, files: {}, secrets: {}, plugins: {} };
const model = editField(EMPTY_CONFIG_DRAFT, document.desired, { field: "model", value: "sonnet" });
const full: StagedDraft = {
  config: editField(model, document.desired, { field: "instructions", value: "Be kind." }),
  files: editFile(
    editFile(
      {},
      {
        root: "/configs",
        path: "persona.md",
        base: { content: "a", sha256: "h" },
        content: "b",
        theirs: null,
      },
    ),
    { root: "/workspace", path: "notes.md", base: null, content: "n", theirs: null },
  ),
  secrets: { OPENAI_API_KEY: "sk", OLD_KEY: null },
  plugins: { style: { base: { version: "1.0.0", sha256: "sha" }, next: null } },
};

test("a clean draft makes no request", () => {
  expect(saveInputOf("w", clean, document)).toBeNull();
  expect(stagedChanges(clean, document)).toEqual([]);
});

test("settings, managed files and secrets are one request with the version it is based on", () => {
  expect(saveInputOf("w", full, document)).toEqual({
    workspaceId: "w",
    baseVersion: 7,
    config: { model: "sonnet", instructions: "Be kind." },
    files: [{ path: "persona.md", content: "b", baseSha256: "h" }],
    plugins: [{ name: "style", packageId: null, baseSha256: "sha" }],
    secrets: [
      { key: "OPENAI_API_KEY", value: "sk" },
      { key: "OLD_KEY", value: null },
    ],
  });
  expect(stagedChanges(full, document)).toHaveLength(6);
});

test("without the loaded document no setting is sent", () => {
  expect(saveInputOf("w", { ...clean, config: model }, undefined)).toBeNull();
  expect(saveInputOf("w", full, undefined)).not.toHaveProperty("config");
});

test("a secret's value never appears in the review", () => {
  expect(JSON.stringify(stagedChanges(full, document))).not.toContain('sk"');
});

test("the bar counts in plain words", () => {
  const idle = { willRestart: true, runningTasks: 0 };
  expect(stagedSentence(1, idle)).toBe("1 change · one restart");
  expect(stagedSentence(3, idle)).toBe("3 changes · one restart");
  expect(stagedSentence(3, { willRestart: true, runningTasks: 2 })).toBe(
    "3 changes · one restart · 2 running tasks will wait",
  );
  expect(stagedSentence(3, { willRestart: false, runningTasks: 2 })).toBe("3 changes · no restart");
});

test("a save says what came of it, and by which attempt", () => {
  const carried = { willRestart: true, attempt: 7, runningTasks: 0 };
  expect(outcomeText(1, "settle", carried)).toBe("Saved · one restart applies it (attempt 7)");
  expect(outcomeText(3, "settle", { ...carried, runningTasks: 2 })).toBe(
    "3 changes saved · one restart applies them (attempt 7) after 2 running tasks, in 10 minutes at the latest",
  );
  expect(outcomeText(2, "idle", carried)).toBe(
    "2 changes saved · one restart applies them (attempt 7) when the agent is idle",
  );
  const held = { willRestart: false, attempt: null, runningTasks: 0 };
  expect(outcomeText(2, "hold", held)).toBe("2 changes saved · not running yet");
  expect(outcomeText(1, null, held)).toBe("Saved · no restart now");
});

test("how it is applied goes with the request", () => {
  expect(saveInputOf("w", full, document, "hold")).toMatchObject({ apply: "hold" });
  expect(saveInputOf("w", clean, document, "hold")).toBeNull();
});
