import type { ConfigDocument } from "@molecule/contracts/panel";
import type { FetchedPlugin } from "@molecule/contracts/plugins";
import { expect, test } from "vitest";
import {
  pluginChanges,
  pluginEdits,
  pluginsAfter,
  stageInstall,
  stageUninstall,
  undoPlugin,
  withoutSent,
} from "./plugin-draft.ts";

const fetched = (version: string): FetchedPlugin => ({
  packageId: `package-${version}`,
  plugin: {
    name: "style",
    version,
    description: "",
    author: "",
    tags: [],
    skills: [],
    runtimes: [],
    source: "local://style",
    sha256: `sha-${version}`,
    files: 1,
    bytes: 10,
    isPinned: true,
  },
  isSupported: true,
  support: "supported on demo",
});
const installed = [
  {
    ...fetched("1").plugin,
    isSupported: true,
    support: "supported on demo",
    runningVersion: "1",
    isRunning: true,
  },
];
const document = { installedPlugins: installed } as unknown as ConfigDocument;

test("PL8: a plugin that is there as it is leaves no change, a newer one is one", () => {
  expect(stageInstall({}, installed, fetched("1"))).toEqual({});
  const drafts = stageInstall({}, installed, fetched("2"));
  expect(pluginChanges(drafts, document)).toEqual([
    { name: "style", current: "1", mine: "2 from local://style", isConflict: false },
  ]);
  expect(pluginEdits(drafts)).toEqual([
    { name: "style", packageId: "package-2", baseSha256: "sha-1" },
  ]);
  expect(undoPlugin(drafts, "style")).toEqual({});
});

test("PL8: what is only staged is undone by uninstalling it, what is installed is staged to go", () => {
  expect(stageUninstall(stageInstall({}, [], fetched("1")), [], "style")).toEqual({});
  const drafts = stageUninstall({}, installed, "style");
  expect(pluginEdits(drafts)).toEqual([{ name: "style", packageId: null, baseSha256: "sha-1" }]);
  expect(pluginChanges(drafts, undefined)).toEqual([
    { name: "style", current: "1", mine: "", isConflict: false },
  ]);
});

test("PL8: another version that somebody saved meanwhile is a conflict", () => {
  const drafts = stageInstall({}, [], fetched("2"));
  expect(pluginChanges(drafts, document)).toMatchObject([{ current: "1", isConflict: true }]);
});

test("PL8: a save takes what it sent, and shows it before it is read again", () => {
  const sent = stageInstall({}, installed, fetched("2"));
  expect(withoutSent(sent, sent)).toEqual({});
  const newer = stageInstall(sent, installed, fetched("3"));
  expect(withoutSent(newer, sent)).toEqual(newer);
  expect(pluginsAfter(installed, sent)).toMatchObject([
    { version: "2", runningVersion: "1", isRunning: false },
  ]);
  expect(pluginsAfter(installed, stageUninstall({}, installed, "style"))).toEqual([]);
});
