import { readFileSync } from "node:fs";
import path from "node:path";
import type { ServerOptions } from "@molecule/api/server";
import { DEV_CIDRS, isDevMode } from "@molecule/domain/dev-mode";
import { REACH_SETTINGS, type ReachSetting } from "@molecule/domain/machine-reach";
import { DEFAULT_SETTLE_SETTINGS, type SettleSettings, scaleSettle } from "@molecule/domain/settle";
import { z } from "zod";
import { list, text } from "./env-shapes.ts";
import { pluginSettings, pluginVariables } from "./plugin-env.ts";

const schema = z.object({
  ...pluginVariables,
  DATABASE_URL: z.string().min(1),
  PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  HOST: text,
  MOLECULE_HOME: z.string().min(1),
  ADMIN_TOKEN: text,
  PUBLIC_URL: text,
  EXTERNAL_PLATFORM_URL: text,
  MOLECULE_VERSION: z.string().default("0.0.0"),
  GIT_SHA: text,
  MOLECULE_ENV: text,
  MOLECULE_ORG_ID: text,
  MOLECULE_ENABLE_TEST_TOKENS: text,
  CANVAS_PROXY_URL: text,
  CANVAS_DIR: text,
  RUNTIME_BUNDLE: text,
  MOLECULE_REACH: z.enum(REACH_SETTINGS).default("auto"),
  CONFIGS_DIR: text,
  ORG_TEMPLATES_DIR: text,
  CORS_ORIGINS: list,
  RATE_LIMIT: z.coerce.number().int().min(0).default(600),
  MOLECULE_ALLOW_CIDRS: list,
  A2A_IDLE_TIMEOUT_SECONDS: text,
  PROVISION_TIMEOUT_SECONDS: z.coerce.number().positive().optional(),
  SECRETS_ENCRYPTION_KEY: text,
  MOLECULE_SETTLE_SCALE: z.coerce.number().positive().default(1),
  MOLECULE_EXIT_WITH_STDIN: text,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
});

/** What this process was started with. */
export interface ServerEnv {
  readonly databaseUrl: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly host: string;
  readonly secretsKey: string | undefined;
  readonly secretsKeyFile: string;
  readonly tokenKeyFile: string;
  /** The built `runtime.mjs` that machines fetch. */
  readonly runtimeBundle: string;
  readonly workerKeyFile: string;
  readonly platformId: string;
  readonly adminToken: string | null;
  /** Where people reach the platform; absent: the address it listens on. */
  readonly publicUrl: string | undefined;
  readonly version: string;
  readonly gitSha: string;
  /** Null: the deployment is of nobody in particular. */
  readonly orgId: string | null;
  readonly servesCanvas: boolean;
  readonly isDevMode: boolean;
  readonly givesTestTokens: boolean;
  readonly canvasDir: string;
  readonly templatesDir: string;
  readonly orgTemplatesDir: string;
  readonly plugins: ServerOptions["plugins"];
  readonly corsOrigins: readonly string[];
  readonly rateLimit: number;
  readonly allowCidrs: readonly string[];
  readonly a2aIdleTimeoutMs: number;
  /** The limit the worker holds every start to; null: what a configuration or runtime says. */
  readonly startTimeoutMs: number | null;
  /** How agents on machines elsewhere are spoken to. */
  readonly reach: ReachSetting;
  readonly settle: SettleSettings;
  /** The end of stdin ends this process in order: it was started by a launcher. */
  readonly exitsWithStdin: boolean;
  readonly logLevel: string;
}

const ROOT = path.resolve(import.meta.dirname, "../../..");
const DEFAULT_IDLE_SECONDS = 300;

/** The only reader of the process environment. @throws Error naming the variable that is wrong. */
export function readEnv(
  source: Readonly<Record<string, string | undefined>> = process.env,
): ServerEnv {
  const parsed = schema.safeParse(source);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`The variable ${issue?.path.join(".")} is missing or wrong: ${issue?.message}`);
  }
  const env = parsed.data;
  const home = path.resolve(env.MOLECULE_HOME);
  const host = env.HOST ?? "127.0.0.1";
  const inDevMode = isDevMode({
    environment: env.MOLECULE_ENV,
    hasAdminToken: env.ADMIN_TOKEN !== undefined,
    hasLauncher: env.MOLECULE_EXIT_WITH_STDIN === "1",
    host,
  });
  return {
    databaseUrl: env.DATABASE_URL,
    port: env.PORT,
    host,
    secretsKey: env.SECRETS_ENCRYPTION_KEY,
    secretsKeyFile: path.join(home, "secrets.key"),
    tokenKeyFile: path.join(home, "token.key"),
    runtimeBundle: path.resolve(
      env.RUNTIME_BUNDLE ?? path.join(ROOT, "apps/runtime/dist/runtime.mjs"),
    ),
    workerKeyFile: path.join(home, "worker.key"),
    platformId: readFileSync(path.join(home, "platform-id"), "utf8").trim(),
    adminToken: env.ADMIN_TOKEN ?? null,
    publicUrl: (env.EXTERNAL_PLATFORM_URL ?? env.PUBLIC_URL)?.replace(/\/+$/, ""),
    version: env.MOLECULE_VERSION,
    gitSha: buildGitSha() ?? env.GIT_SHA ?? "dev",
    orgId: env.MOLECULE_ORG_ID ?? null,
    servesCanvas: env.CANVAS_PROXY_URL !== undefined,
    isDevMode: inDevMode,
    givesTestTokens: !isProduction(env.MOLECULE_ENV) || env.MOLECULE_ENABLE_TEST_TOKENS === "1",
    canvasDir: path.resolve(env.CANVAS_DIR ?? path.join(ROOT, "apps/canvas/out")),
    templatesDir: path.resolve(env.CONFIGS_DIR ?? path.join(ROOT, "packages/templates/data")),
    orgTemplatesDir: path.resolve(
      env.ORG_TEMPLATES_DIR ?? path.join(ROOT, "packages/templates/org-data"),
    ),
    plugins: pluginSettings(env, path.join(ROOT, "packages/templates/plugins-data")),
    corsOrigins: env.CORS_ORIGINS,
    rateLimit: inDevMode ? 0 : env.RATE_LIMIT,
    allowCidrs: inDevMode ? [...env.MOLECULE_ALLOW_CIDRS, ...DEV_CIDRS] : env.MOLECULE_ALLOW_CIDRS,
    a2aIdleTimeoutMs: idleSeconds(env.A2A_IDLE_TIMEOUT_SECONDS) * 1000,
    startTimeoutMs:
      env.PROVISION_TIMEOUT_SECONDS === undefined ? null : env.PROVISION_TIMEOUT_SECONDS * 1000,
    reach: env.MOLECULE_REACH,
    settle: scaleSettle(DEFAULT_SETTLE_SETTINGS, env.MOLECULE_SETTLE_SCALE),
    exitsWithStdin: env.MOLECULE_EXIT_WITH_STDIN === "1",
    logLevel: env.LOG_LEVEL,
  };
}

function isProduction(environment: string | undefined): boolean {
  return ["production", "prod"].includes((environment ?? "").trim().toLowerCase());
}

/** Put in by the build when it was told GIT_SHA; an unbuilt server has none. */
declare const BUILD_GIT_SHA: string | undefined;

function buildGitSha(): string | undefined {
  return typeof BUILD_GIT_SHA === "undefined" || BUILD_GIT_SHA === "" ? undefined : BUILD_GIT_SHA;
}

/** A value that is no positive whole number counts as absent. Source: wire contract §6.4. */
function idleSeconds(value: string | undefined): number {
  const seconds = Number(value ?? DEFAULT_IDLE_SECONDS);
  return Number.isInteger(seconds) && seconds > 0 ? seconds : DEFAULT_IDLE_SECONDS;
}
