import type { ConfigDocument } from "@molecule/contracts/panel";
import { expect, test } from "vitest";
import { EMPTY_CONFIG_DRAFT, editField } from "./config-draft.ts";
import { editFile } from "./file-draft.ts";
import { type StagedDraft, saveInputOf, stagedChanges, stagedSentence } from "./staged-save.ts";

const document: ConfigDocument = {
  version: 7,
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
  pending: [],
};
const clean: StagedDraft = { config: EMPTY_CONFIG_DRAFT, files: {}, secrets: {} };
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
    secrets: [
      { key: "OPENAI_API_KEY", value: "sk" },
      { key: "OLD_KEY", value: null },
    ],
  });
  expect(stagedChanges(full, document)).toHaveLength(5);
});

test("without the loaded document no setting is sent", () => {
  expect(saveInputOf("w", { ...clean, config: model }, undefined)).toBeNull();
  expect(saveInputOf("w", full, undefined)).not.toHaveProperty("config");
});

test("a secret's value never appears in the review", () => {
  expect(JSON.stringify(stagedChanges(full, document))).not.toContain('sk"');
});

test("the bar counts in plain words", () => {
  expect(stagedSentence(1, true)).toBe("1 change · one restart");
  expect(stagedSentence(3, true)).toBe("3 changes · one restart");
});
