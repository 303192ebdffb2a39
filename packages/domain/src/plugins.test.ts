import { describe, expect, it } from "vitest";
import {
  archiveRefs,
  isAllowedSource,
  isTakenFile,
  type PluginSource,
  parsePluginSource,
  pluginOfPath,
  sourceText,
  supportSentence,
  supportsRuntime,
} from "./plugins.ts";

const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const sourceOf = (text: string): PluginSource => {
  const parsed = parsePluginSource(text);
  if ("refusal" in parsed) throw new Error(parsed.refusal);
  return parsed.source;
};

describe("a plugin's source", () => {
  it.each([
    ["house-style", "local://house-style"],
    [" local://house-style ", "local://house-style"],
    ["LOCAL://A_b.c", "local://A_b.c"],
    [`github://acme/tools#${COMMIT}`, `github://acme/tools#${COMMIT}`],
    ["github://Acme-1/my.tools#v1.2.3", "github://Acme-1/my.tools#v1.2.3"],
    ["github://acme/tools#release/2026+1", "github://acme/tools#release/2026+1"],
    ["github://acme/tools", "github://acme/tools"],
  ])("PL1: %j is %s", (text, shown) => {
    expect(sourceText(sourceOf(text))).toBe(shown);
  });

  it.each([
    ["", "empty"],
    ["   ", "empty"],
    ["x".repeat(401), "too_long"],
    ["ftp://x", "unknown_scheme"],
    ["https://github.com/acme/tools", "unknown_scheme"],
    ["local://", "malformed"],
    ["../etc", "malformed"],
    ["a/b", "malformed"],
    ["local://.hidden", "malformed"],
    ["local://a..b", "malformed"],
    ["local://a b", "malformed"],
    ["local://a\u0000", "malformed"],
    ["github://acme", "malformed"],
    ["github://acme/..", "malformed"],
    ["github://acme/tools/more#v1", "malformed"],
    ["github://acme/tools#", "malformed"],
    ["github://acme/tools#a b", "malformed"],
    ["github://acme/tools#../../x", "malformed"],
    ["github://acme/tools#a//b", "malformed"],
    ["github://acme/tools#v1?x=1", "malformed"],
    ["github://acme/tools#v1#v2", "malformed"],
    ["github://user:pass@acme/tools#v1", "malformed"],
    ["github://acme%2f/tools#v1", "malformed"],
  ])("PL1: %j is refused as %s", (text, refusal) => {
    expect(parsePluginSource(text)).toEqual({ refusal });
  });

  it("PL2: is asked for as a commit or as a tag, and as a branch only where that is allowed", () => {
    const pinned = { allowsUnpinned: false };
    const loose = { allowsUnpinned: true };
    expect(archiveRefs(COMMIT, pinned)).toEqual([COMMIT]);
    expect(archiveRefs("v1", pinned)).toEqual(["refs/tags/v1"]);
    expect(archiveRefs("main", loose)).toEqual(["refs/tags/main", "refs/heads/main"]);
    expect(archiveRefs(null, pinned)).toEqual([]);
    expect(archiveRefs(null, loose)).toEqual(["HEAD"]);
  });
});

describe("the organisation's list", () => {
  const asks = (text: string, ...allowed: string[]) => isAllowedSource(sourceOf(text), allowed);

  it("PL3: that is empty lets everything in", () => {
    expect(asks("github://any/thing#v1")).toBe(true);
  });

  it.each([
    ["github://acme/tools#v1", "github://acme/*", true],
    ["github://Acme/Tools#v1", "github://acme/tools", true],
    ["github://acme/tools#v1", "github://acme/tools#v*", true],
    ["github://acme/tools#main", "github://acme/tools#v*", false],
    ["github://acme-evil/tools#v1", "github://acme/*", false],
    ["github://acme/tools-evil#v1", "github://acme/tools", false],
    ["github://evil/x#github://acme/", "github://acme/*", false],
    ["local://a", "local://*", true],
    ["local://a", "github://*", false],
    ["local://a", "*", true],
    ["local://aba", "local://ab*ba", false],
    ["local://abcba", "local://ab*ba", true],
  ])("PL3: %s by %s is %s", (text, entry, isIn) => {
    const parsed = parsePluginSource(text);
    expect("source" in parsed && isAllowedSource(parsed.source, [entry])).toBe(isIn);
  });
});

describe("what a plugin is for", () => {
  it("PL4: is the runtime by any spelling, and every one where none is named", () => {
    expect(supportsRuntime([], "demo")).toBe(true);
    expect(supportsRuntime(["claude_code"], "claude-code")).toBe(true);
    expect(supportsRuntime(["ClaudeCode"], "claude-code")).toBe(true);
    expect(supportsRuntime(["codex", "hermes"], "claude-code")).toBe(false);
  });

  it("PL4: is said as a part of a sentence", () => {
    expect(supportSentence([], "demo")).toBe("supported on demo");
    expect(supportSentence(["codex"], "demo")).toBe("for codex only, and this agent runs demo");
    expect(supportSentence(["a", "b", "c"], "demo")).toContain("for a, b and c only");
  });
});

it("PL5: files of a plugin are known by their path, and hidden ones are left out", () => {
  expect(pluginOfPath("plugins/a/b/c.md")).toBe("a");
  expect(pluginOfPath("plugins/a")).toBeNull();
  expect(pluginOfPath("skills/plugins/a.md")).toBeNull();
  for (const path of ["plugin.yaml", "a/b.md", ".claude-plugin/plugin.json", ".mcp.json"]) {
    expect(isTakenFile(path)).toBe(true);
  }
  for (const path of [
    ".env",
    ".git/HEAD",
    "a/.b/c",
    "x/.mcp.json",
    ".claude-plugin/.env",
    "__MACOSX/a",
  ]) {
    expect(isTakenFile(path)).toBe(false);
  }
});
