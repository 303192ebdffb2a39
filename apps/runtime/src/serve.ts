import { MAX_CONCURRENT_TASKS } from "@molecule/domain/delivery";
import type { CardFacts } from "@molecule/runtime-sdk/a2a/agent-card";
import { type CredentialFiles, credentialFiles } from "@molecule/runtime-sdk/credential-files";
import { platformClient } from "@molecule/runtime-sdk/platform-client";
import { platformTools } from "@molecule/runtime-sdk/platform-tools";
import type { Dismissal } from "@molecule/runtime-sdk/presence";
import { type ServedAgent, serveAgent } from "@molecule/runtime-sdk/serve-agent";
import { chooseAdapter } from "./adapters/choose-adapter.ts";
import { bootFromToken } from "./boot-from-token.ts";
import { type RuntimeEnv, readEnv } from "./env.ts";
import { captureConsole, jsonLog, type Log } from "./log.ts";
import { type BootConfig, readBootConfig } from "./read-config.ts";
import { readInstructions } from "./read-instructions.ts";
import { readPlugins, tellPlugins } from "./read-plugins.ts";

/** After a signal, everything has ended by then, in ms. */
const STOP_WITHIN_MS = 8_000;

/**
 * Serves one workspace until a signal or the platform ends it. Order: configuration, agent, port,
 * register, beat. Source: wire contract §20.
 */
export async function serve(): Promise<void> {
  const write = (line: string) => void process.stdout.write(line);
  let log = jsonLog(write, {});
  try {
    const given = readEnv();
    log = jsonLog(write, given.all);
    const booted = await bootFromToken(given, log);
    const env = booted === undefined ? given : readEnv(booted);
    captureConsole(log);
    process.on("unhandledRejection", (error) => log.error("unhandled rejection", { error }));
    const runtime = await startRuntime(env, log, (why) => {
      log.info(
        why === "superseded"
          ? "superseded: a newer attempt of this workspace is running, so this one ends"
          : "removed: this workspace was deleted, so this instance ends",
      );
      void end("dismissed");
    });
    const end = async (why: string): Promise<void> => {
      log.info("stopping", { why });
      setTimeout(() => process.exit(0), STOP_WITHIN_MS).unref();
      await runtime.stop();
      log.info("stopped");
      process.exit(0);
    };
    process.once("SIGTERM", () => void end("SIGTERM"));
    process.once("SIGINT", () => void end("SIGINT"));
  } catch (error) {
    log.error("the agent could not be started", { error });
    process.exit(1);
  }
}

/** @throws Error with a sentence when the configuration, the agent or the port cannot be used. */
export async function startRuntime(
  env: RuntimeEnv,
  log: Log,
  dismissed: (why: Dismissal) => void,
): Promise<ServedAgent> {
  const own = await readBootConfig(env);
  const credentials = credentialFiles({ folder: env.configDir });
  await hideCredentials(credentials, log);
  const client = platformClient({
    platformUrl: env.platformUrl,
    workspaceId: env.workspaceId,
    credentials,
  });
  const told = await readInstructions(client, log);
  const plugins = await readPlugins(env.configDir, env.adapter);
  const instructions = joined(own.instructions, told, tellPlugins(plugins));
  const config = { ...own, instructions };
  const tools = platformTools(client, { delegateDeadlineMs: config.delegateTimeoutMs });
  return await serveAgent({
    client,
    credentials,
    adapter: await chooseAdapter({ env, config, tools, log }),
    card: cardFacts(env, config),
    listen: { host: env.hostBind, port: env.port },
    urlOf: (port) => env.agentUrl ?? `http://${reachableHost(env)}:${port}`,
    homeDir: env.homeDir,
    roots: {
      "/configs": env.configDir,
      "/workspace": env.workspaceDir,
      "/home": env.homeDir,
      "/plugins": env.pluginsDir,
    },
    // The platform keeps how many there are, and what an agent asks back goes beyond that: a limit of
    // our own would let two agents wait for each other.
    maxConcurrent: MAX_CONCURRENT_TASKS,
    log,
    about: { attempt: env.attempt },
    dismissed,
  });
}

/** The workspace's own instructions, then those of the operator. */
function joined(...texts: readonly string[]): string {
  return texts.filter((text) => text.trim() !== "").join("\n\n");
}

async function hideCredentials(credentials: CredentialFiles, log: Log): Promise<void> {
  log.hide(await credentials.token().catch(() => undefined));
  log.hide(await credentials.inboundSecret().catch(() => undefined));
}

function reachableHost(env: RuntimeEnv): string {
  const isEverywhere = env.hostBind === "0.0.0.0" || env.hostBind === "::";
  return isEverywhere ? (env.hostname ?? "127.0.0.1") : env.hostBind;
}

function cardFacts(env: RuntimeEnv, config: BootConfig): Omit<CardFacts, "url"> {
  const isDemo = env.adapter === "demo";
  return {
    name: config.name,
    description:
      config.description || (isDemo ? "A demo agent without a language model" : config.name),
    version: config.version,
    skills: [
      isDemo
        ? {
            id: "demo",
            name: "Plain requests",
            description:
              "Lists, reads and writes files, reports its settings, delegates, notifies.",
            tags: ["demo", "files"],
          }
        : {
            id: "coding",
            name: "Coding",
            description: "Works on files and code in its own workspace.",
            tags: ["code", "files"],
          },
    ],
  };
}
