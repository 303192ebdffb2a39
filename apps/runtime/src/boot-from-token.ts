import { chmod, mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { type BootContent, bootContent } from "@molecule/contracts/boot";
import { pluginOfPath } from "@molecule/domain/plugins";
import { exchangeBootToken } from "@molecule/runtime-sdk/boot-exchange";
import { credentialFiles } from "@molecule/runtime-sdk/credential-files";
import { NoAnswerError } from "@molecule/runtime-sdk/http-json";
import { platformClient, refusalOf } from "@molecule/runtime-sdk/platform-client";
import { retryDelayMs } from "@molecule/runtime-sdk/retry-delay";
import type { RuntimeEnv } from "./env.ts";
import type { Log } from "./log.ts";

const RETRY = { baseMs: 500, capMs: 15_000 };

/**
 * The environment of a machine that was started with a boot token: its token is exchanged, its files are
 * under `/configs`, and its secrets are added. Undefined where there is no boot token: then all of that
 * was there before the start. @throws PlatformRefusal when the platform does not want this machine.
 */
export async function bootFromToken(
  env: RuntimeEnv,
  log: Log,
): Promise<Readonly<Record<string, string | undefined>> | undefined> {
  const { bootToken, configDir, platformUrl, workspaceId } = env;
  if (bootToken === undefined) return undefined;
  log.hide(bootToken);
  for (const folder of [configDir, env.workspaceDir, env.homeDir, env.pluginsDir]) {
    await mkdir(folder, { recursive: true });
  }
  const credentials = credentialFiles({ folder: configDir });
  const name = env.workspaceName ?? workspaceId;
  await exchangeBootToken({
    platformUrl,
    workspaceId,
    bootToken,
    folder: configDir,
    credentials,
    name,
    log,
  });
  log.hide(await credentials.token());
  const content = await fetchContent(env, log);
  await placeFiles(configDir, content);
  for (const value of Object.values(content.env)) log.hide(value);
  const { MOLECULE_BOOT_TOKEN: _used, ...given } = env.all;
  // Names that the platform decides are not among the secrets it gives.
  return {
    ...given,
    ...content.env,
    AGENT_SECRET_NAMES: Object.keys(content.env).sort().join(","),
  };
}

/** Tried until the platform answers. @throws PlatformRefusal */
async function fetchContent(env: RuntimeEnv, log: Log): Promise<BootContent> {
  const credentials = credentialFiles({ folder: env.configDir });
  const client = platformClient({ ...env, credentials });
  for (let failures = 1; ; failures += 1) {
    const answer = await client
      .call({ method: "GET", path: `/workspaces/${env.workspaceId}/boot` })
      .catch((error: unknown) => {
        if (error instanceof NoAnswerError) return null;
        throw error;
      });
    if (answer?.status === 200) return bootContent.parse(answer.body);
    const isLater = answer === null || answer.status === 429 || answer.status >= 500;
    if (!isLater) throw refusalOf(answer);
    log.warn("the platform does not give the agent's files yet", { failures });
    const delayMs = retryDelayMs(failures, RETRY, Math.random());
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

/** The paths are the platform's, and are looked at all the same: nothing is written beside the folder. */
async function placeFiles(configDir: string, content: BootContent): Promise<void> {
  for (const removed of content.removed_files) {
    await rm(placeOf(configDir, removed), { force: true });
  }
  for (const file of content.files) {
    const place = placeOf(configDir, file.path);
    const bytes = Buffer.from(file.content, "base64");
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, bytes);
    const isScript = bytes[0] === 0x23 && bytes[1] === 0x21 && pluginOfPath(file.path) !== null;
    await chmod(place, isScript ? 0o755 : 0o644);
  }
}

function placeOf(configDir: string, relative: string): string {
  const place = path.resolve(configDir, relative);
  if (place.startsWith(`${path.resolve(configDir)}${path.sep}`)) return place;
  throw new Error("The platform named a file outside of the configuration folder.");
}
