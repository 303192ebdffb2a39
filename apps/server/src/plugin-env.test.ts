import { expect, it } from "vitest";
import { z } from "zod";
import { pluginSettings, pluginVariables } from "./plugin-env.ts";

const read = (env: Record<string, string>) =>
  pluginSettings(z.object(pluginVariables).parse(env), "/shipped");

it("nothing set, or set to nothing, is what the contract says", () => {
  for (const env of [{}, { PLUGIN_GITHUB_URL: "", PLUGIN_INSTALL_FETCH_TIMEOUT: "" }]) {
    expect(read(env)).toEqual({
      localDir: "/shipped",
      github: { baseUrl: new URL("https://codeload.github.com"), token: null, redirectHosts: [] },
      allowsUnpinned: false,
      allowed: [],
      bodyMaxBytes: 65_536,
      fetchTimeoutMs: 300_000,
      maxBytes: 104_857_600,
    });
  }
});

it("times are written as the contract writes them, and lists with commas", () => {
  const settings = read({
    PLUGIN_INSTALL_FETCH_TIMEOUT: "1m30s",
    PLUGIN_ALLOWLIST: "local://*, github://acme/*",
    PLUGIN_ALLOW_UNPINNED: "true",
    PLUGIN_INSTALL_MAX_DIR_BYTES: "1000",
  });
  expect(settings).toMatchObject({
    fetchTimeoutMs: 90_000,
    allowed: ["local://*", "github://acme/*"],
    allowsUnpinned: true,
    maxBytes: 1000,
  });
  expect(read({ PLUGIN_INSTALL_FETCH_TIMEOUT: "45" }).fetchTimeoutMs).toBe(45_000);
});

it.each([
  ["PLUGIN_INSTALL_FETCH_TIMEOUT", "soon"],
  ["PLUGIN_INSTALL_FETCH_TIMEOUT", "0s"],
  ["PLUGIN_INSTALL_MAX_DIR_BYTES", "-1"],
  ["PLUGIN_INSTALL_BODY_MAX_BYTES", "many"],
  ["PLUGIN_GITHUB_URL", "ftp://x"],
  ["PLUGIN_GITHUB_URL", "https://user:password@x"],
])("%s=%s is refused", (name, value) => {
  expect(() => read({ [name]: value })).toThrow(/must be/);
});
