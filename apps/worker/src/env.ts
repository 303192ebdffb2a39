import path from "node:path";
import { TERMINAL_IDLE_MS } from "@molecule/domain/terminal";
import { z } from "zod";
import type { TierOverrides } from "./adapters/docker/tiers.ts";
import { type ReadEc2Settings, readEc2Settings } from "./adapters/ec2/ec2-settings.ts";
import {
  type ControlPlaneSettings,
  controlPlaneSettings,
  controlPlaneVariables,
} from "./control-plane-env.ts";
import { readTunnelEnv, type TunnelEnv } from "./tunnels/tunnel-settings.ts";

const schema = z.object({
  DATABASE_URL: z.string().min(1),
  MOLECULE_HOME: z.string().min(1),
  MOLECULE_VERSION: z.string().default("0.0.0"),
  MOLECULE_BACKEND: z.enum(["auto", "process", "docker", "control-plane"]).default("auto"),
  MOLECULE_PLATFORM_ID: z.string().optional(),
  PORT: z.coerce.number().int().min(1).max(65_535).default(8080),
  RUNTIME_BUNDLE: z.string().min(1),
  RUNTIME_NODE: z.string().min(1).default(process.execPath),
  AGENTS_DIR: z.string().optional(),
  DOCKER_HOST: z.string().optional(),
  SECRETS_ENCRYPTION_KEY: z.string().optional(),
  MOLECULE_SETTLE_SCALE: z.coerce.number().positive().default(1),
  MOLECULE_LEASE_MS: z.coerce.number().int().positive().default(15_000),
  MOLECULE_POLL_MS: z.coerce.number().int().positive().default(1_000),
  MOLECULE_STOP_GRACE_MS: z.coerce.number().int().positive().default(10_000),
  MOLECULE_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(8),
  MOLECULE_IMAGE_PREFIX: z.string().optional(),
  MOLECULE_IMAGE_TAG: z.string().optional(),
  MOLECULE_IMAGE_KEEP_HOURS: z.coerce.number().min(0).default(24),
  IMAGE_AUTO_REFRESH: z.string().optional(),
  GHCR_USER: z.string().optional(),
  GHCR_TOKEN: z.string().optional(),
  MOLECULE_STOP_AGENTS_ON_EXIT: z.string().optional(),
  MOLECULE_FAILPOINTS: z.string().default(""),
  MOLECULE_EXIT_WITH_STDIN: z.string().optional(),
  MOLECULE_PROCESS_TERMINAL: z.string().optional(),
  MOLECULE_TERMINAL_IDLE_MINUTES: z.coerce
    .number()
    .positive()
    .default(TERMINAL_IDLE_MS / 60_000),
  PROVISION_TIMEOUT_SECONDS: z.coerce.number().positive().optional(),
  ...controlPlaneVariables,
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal"]).default("info"),
});

/** What this process was started with. The only reader of the process environment. */
export interface WorkerEnv {
  readonly databaseUrl: string;
  /** Folder of all state. */
  readonly home: string;
  readonly version: string;
  readonly backend: "auto" | "process" | "docker" | "control-plane";
  /** Undefined: read from the home folder. */
  readonly platformId: string | undefined;
  /** Public port of the platform: what instances talk to. */
  readonly platformPort: number;
  /** The bundled reference runtime. */
  readonly runtimeBundle: string;
  /** The Node program that instances are started with. */
  readonly runtimeNode: string;
  /** One folder per runtime with the package.json and lock file of its agent. */
  readonly agentsDir: string;
  readonly secretsKey: string | undefined;
  /** Multiplies settle, backoff, probe and sweep times; 1 outside tests. */
  readonly timeScale: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  /** How long an instance may take to end after it was asked to. */
  readonly stopGraceMs: number;
  /** Workspaces worked on at the same time. */
  readonly concurrency: number;
  /** First part of published images' names; undefined: images are found here or made. */
  readonly imagePrefix: string | undefined;
  /** Their tag; undefined: the platform's version. */
  readonly imageTag: string | undefined;
  /** How long an image is kept that nothing needs any more; 0: for ever. */
  readonly imageKeepMs: number;
  /** Images whose tag moves are looked after by themselves. */
  readonly refreshesImages: boolean;
  /** For images below `ghcr.io/`. */
  readonly registryLogin: { readonly username: string; readonly password: string } | undefined;
  readonly dockerHost: string | undefined;
  readonly tierOverrides: TierOverrides;
  /** EC2, or why it is not offered. Holds a key of AWS where one is set: never logged. */
  readonly ec2: ReadEc2Settings;
  /** How machines of EC2 are reached. */
  readonly tunnels: TunnelEnv;
  /** Instances end together with this process. */
  readonly stopsAgents: boolean;
  readonly failpoints: string;
  /** The end of stdin ends this process in order: it was started by a launcher. */
  readonly exitsWithStdin: boolean;
  /** How long every start may take; null: what its configuration or runtime says. */
  readonly bootTimeoutMs: number | null;
  /** People may open shells beside agents that run as processes of this machine. */
  readonly allowsTerminal: boolean;
  /** Silence of every viewer after which a terminal is closed. */
  readonly terminalIdleMs: number;
  readonly logLevel: string;
  /** The service that owns machines; null: none is named. */
  readonly controlPlane: ControlPlaneSettings | null;
  /** What instances inherit from the machine: nothing that belongs to the platform. */
  readonly inherited: Readonly<Record<string, string>>;
  /** The same for npm, which also needs the person's own configuration to reach its registry. */
  readonly inheritedByNpm: Readonly<Record<string, string>>;
}

const INHERITED = [
  "PATH",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "SSL_CERT_FILE",
  "NODE_EXTRA_CA_CERTS",
];

const INHERITED_BY_NPM = [
  ...INHERITED,
  "HOME",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "npm_config_registry",
  "npm_config_userconfig",
  "npm_config_globalconfig",
  "npm_config_cache",
  "npm_config_cafile",
];

/** Those of `names` that are set. */
function pick(
  source: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    names.flatMap((name) => (source[name] === undefined ? [] : [[name, source[name]]])),
  );
}

/** `TIER2_MEMORY_MB` and `TIER2_CPU_SHARES`, up to tier 4; what is no whole number is left out. */
function readTierOverrides(source: Readonly<Record<string, string | undefined>>): TierOverrides {
  const read = (name: string) => {
    const value = Number(source[name]);
    return Number.isInteger(value) && value > 0 ? value : undefined;
  };
  return Object.fromEntries(
    [1, 2, 3, 4].map((tier) => {
      const memoryMb = read(`TIER${tier}_MEMORY_MB`);
      const cpuShares = read(`TIER${tier}_CPU_SHARES`);
      return [
        tier,
        {
          ...(memoryMb === undefined ? {} : { memoryMb }),
          ...(cpuShares === undefined ? {} : { cpuShares }),
        },
      ];
    }),
  );
}

/** @throws Error naming the variable that is missing or wrong. */
export function readEnv(
  source: Readonly<Record<string, string | undefined>> = process.env,
): WorkerEnv {
  const parsed = schema.safeParse(source);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`The variable ${issue?.path.join(".")} is missing or wrong: ${issue?.message}`);
  }
  const env = parsed.data;
  const bundle = path.resolve(env.RUNTIME_BUNDLE);
  return {
    databaseUrl: env.DATABASE_URL,
    home: path.resolve(env.MOLECULE_HOME),
    version: env.MOLECULE_VERSION,
    backend: env.MOLECULE_BACKEND,
    platformId: env.MOLECULE_PLATFORM_ID,
    platformPort: env.PORT,
    runtimeBundle: bundle,
    runtimeNode: path.resolve(env.RUNTIME_NODE),
    agentsDir: path.resolve(
      env.AGENTS_DIR ?? path.join(import.meta.dirname, "../../runtime/agents"),
    ),
    secretsKey: env.SECRETS_ENCRYPTION_KEY,
    timeScale: env.MOLECULE_SETTLE_SCALE,
    leaseMs: env.MOLECULE_LEASE_MS,
    pollMs: env.MOLECULE_POLL_MS,
    stopGraceMs: env.MOLECULE_STOP_GRACE_MS,
    concurrency: env.MOLECULE_CONCURRENCY,
    imagePrefix: env.MOLECULE_IMAGE_PREFIX || undefined,
    imageTag: env.MOLECULE_IMAGE_TAG || undefined,
    imageKeepMs: env.MOLECULE_IMAGE_KEEP_HOURS * 3_600_000,
    refreshesImages: env.IMAGE_AUTO_REFRESH === "true" || env.IMAGE_AUTO_REFRESH === "1",
    registryLogin: env.GHCR_TOKEN
      ? { username: env.GHCR_USER ?? "", password: env.GHCR_TOKEN }
      : undefined,
    dockerHost: env.DOCKER_HOST === "" ? undefined : env.DOCKER_HOST,
    tierOverrides: readTierOverrides(source),
    ec2: readEc2Settings(source),
    tunnels: readTunnelEnv(source),
    stopsAgents: env.MOLECULE_STOP_AGENTS_ON_EXIT === "1",
    failpoints: env.MOLECULE_FAILPOINTS,
    exitsWithStdin: env.MOLECULE_EXIT_WITH_STDIN === "1",
    bootTimeoutMs:
      env.PROVISION_TIMEOUT_SECONDS === undefined ? null : env.PROVISION_TIMEOUT_SECONDS * 1_000,
    allowsTerminal: env.MOLECULE_PROCESS_TERMINAL === "1",
    terminalIdleMs: env.MOLECULE_TERMINAL_IDLE_MINUTES * 60_000,
    logLevel: env.LOG_LEVEL,
    controlPlane: controlPlaneSettings(env),
    inherited: pick(source, INHERITED),
    inheritedByNpm: pick(source, INHERITED_BY_NPM),
  };
}
