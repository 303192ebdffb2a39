import path from "node:path";
import type { ServerOptions } from "@molecule/api/server";
import { z } from "zod";
import { list, text } from "./env-shapes.ts";

type PluginSettings = ServerOptions["plugins"];

const bytes = (byDefault: number) =>
  text.transform((value, context) => {
    const count = Number(value ?? byDefault);
    if (Number.isInteger(count) && count > 0) return count;
    context.addIssue({ code: "custom", message: "must be a number of bytes" });
    return z.NEVER;
  });

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** As the contract writes them: "5m", "90s", "1m30s"; a bare number is seconds. */
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h))+$/;

const duration = (byDefault: string) =>
  text.transform((value, context) => {
    const written = value ?? byDefault;
    const ms = /^\d+$/.test(written) ? Number(written) * 1000 : millisecondsOf(written);
    if (ms > 0) return ms;
    context.addIssue({ code: "custom", message: "must be a time such as 5m or 90s" });
    return z.NEVER;
  });

function millisecondsOf(written: string): number {
  if (!DURATION.test(written)) return 0;
  const parts = written.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g);
  return [...parts].reduce(
    (sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit ?? ""] ?? 0),
    0,
  );
}

const webAddress = text.transform((value, context) => {
  const written = value ?? "https://codeload.github.com";
  const url = URL.canParse(written) ? new URL(written) : null;
  const isPlain = url !== null && url.username === "" && url.search === "" && url.hash === "";
  if (isPlain && ["http:", "https:"].includes(url.protocol)) return url;
  context.addIssue({ code: "custom", message: "must be an address with http or https" });
  return z.NEVER;
});

/** The variables of plugins, by name. Source: wire contract §12, §22. */
export const pluginVariables = {
  PLUGIN_LOCAL_DIR: text,
  PLUGIN_GITHUB_URL: webAddress,
  PLUGIN_GITHUB_TOKEN: text,
  PLUGIN_GITHUB_REDIRECT_HOSTS: list,
  PLUGIN_ALLOWLIST: list,
  PLUGIN_ALLOW_UNPINNED: text,
  PLUGIN_INSTALL_BODY_MAX_BYTES: bytes(65_536),
  PLUGIN_INSTALL_FETCH_TIMEOUT: duration("5m"),
  PLUGIN_INSTALL_MAX_DIR_BYTES: bytes(104_857_600),
};

/** What they come to; `shippedDir` is the folder of the plugins that come with the platform. */
export function pluginSettings(
  env: z.infer<z.ZodObject<typeof pluginVariables>>,
  shippedDir: string,
): PluginSettings {
  return {
    localDir: path.resolve(env.PLUGIN_LOCAL_DIR ?? shippedDir),
    github: {
      baseUrl: env.PLUGIN_GITHUB_URL,
      token: env.PLUGIN_GITHUB_TOKEN ?? null,
      redirectHosts: env.PLUGIN_GITHUB_REDIRECT_HOSTS.map((host) => host.toLowerCase()),
    },
    allowsUnpinned: env.PLUGIN_ALLOW_UNPINNED === "true",
    allowed: env.PLUGIN_ALLOWLIST,
    bodyMaxBytes: env.PLUGIN_INSTALL_BODY_MAX_BYTES,
    fetchTimeoutMs: env.PLUGIN_INSTALL_FETCH_TIMEOUT,
    maxBytes: env.PLUGIN_INSTALL_MAX_DIR_BYTES,
  };
}
