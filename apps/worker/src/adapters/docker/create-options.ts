import type { ContainerCreateOptions, MountSettings } from "dockerode";
import type { InstanceSpec } from "../../provisioning/compute-backend.ts";
import {
  aliasOf,
  containerNameOf,
  instanceLabels,
  VOLUME_KINDS,
  VOLUME_MOUNTS,
  type VolumeKind,
  volumeNameOf,
  workspaceLabels,
} from "./names.ts";
import type { TierLimits } from "./tiers.ts";

/** Where the runtime listens inside the container. */
export const RUNTIME_PORT = 8000;
/** The only user that runs in our images; no capability, no way to another uid. */
export const AGENT_USER = "1000:1000";
export const AGENT_UID = 1000;
/** Absolute, so that a PATH among the workspace's secrets decides nothing. */
export const NODE_IN_IMAGE = "/usr/local/bin/node";
export const RUNTIME_IN_IMAGE = "/opt/molecule/runtime.mjs";
/** Where an image keeps the package of its coding agent. */
const AGENTS_IN_IMAGE = "/opt/agents";
/** How long the runtime may take to end after SIGTERM before it is killed. */
export const STOP_GRACE_SECONDS = 10;

/** The surroundings that the platform, never an agent, decides. */
export interface ContainerPlace {
  readonly platformId: string;
  readonly image: string;
  readonly network: string;
  /** What `host.docker.internal` resolves to: the bridge's gateway, or `host-gateway`. */
  readonly hostAddress: string;
  /** The platform's public port, as reached through `hostAddress`. */
  readonly platformPort: number;
  readonly limits: TierLimits;
}

const MEGABYTE = 1024 * 1024;
const CPU_PERIOD_US = 100_000;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * What keeps every container of ours in its place; the same for instances and for short-lived
 * helpers, whatever the tier. Source: security C2 row 14.
 */
export function confinement(limits: TierLimits): NonNullable<ContainerCreateOptions["HostConfig"]> {
  return {
    Privileged: false,
    CapDrop: ["ALL"],
    CapAdd: [],
    SecurityOpt: ["no-new-privileges:true"],
    PidMode: "",
    IpcMode: "private",
    UTSMode: "",
    Devices: [],
    Binds: [],
    ReadonlyRootfs: true,
    Tmpfs: {
      "/tmp": `rw,exec,nosuid,nodev,mode=1777,size=${Math.min(256, limits.memoryMb / 4)}m`,
    },
    PidsLimit: 512,
    Memory: limits.memoryMb * MEGABYTE,
    MemorySwap: limits.memoryMb * MEGABYTE,
    // A quota and not NanoCpus: the engine refuses NanoCpus above the machine's own count, and a
    // tier must start on a smaller machine too.
    CpuPeriod: CPU_PERIOD_US,
    CpuQuota: Math.max(1000, Math.round((limits.cpuShares / 1024) * CPU_PERIOD_US)),
    // Only lowered: an engine without CAP_SYS_RESOURCE cannot raise a limit and would not start.
    Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
    Init: true,
    // The reconciler restarts. An engine that did would revive an attempt whose successor runs
    // already, with a token that no longer speaks for the workspace.
    RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    AutoRemove: false,
    LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
  };
}

/** The workspace's volumes at their places; nothing of the host is ever mounted. */
export function volumeMounts(
  owner: { readonly platformId: string; readonly workspaceId: string },
  kinds: readonly VolumeKind[] = VOLUME_KINDS,
): MountSettings[] {
  return kinds.map((kind) => ({
    Type: "volume",
    Source: volumeNameOf(owner.workspaceId, kind),
    Target: VOLUME_MOUNTS[kind],
    ReadOnly: false,
    VolumeOptions: {
      NoCopy: false,
      Labels: workspaceLabels(owner.platformId, owner.workspaceId),
      DriverConfig: { Name: "local", Options: {} },
    },
  }));
}

/**
 * `NAME=value` lines: what the caller gave, then what the container's place decides, which wins.
 * Names that no shell accepts are left out, because `=` in a name would set another variable.
 */
function environmentOf(spec: InstanceSpec, place: ContainerPlace): string[] {
  const platformUrl = `http://host.docker.internal:${place.platformPort}`;
  const decided: Record<string, string> = {
    WORKSPACE_ID: spec.workspaceId,
    WORKSPACE_NAME: spec.name.replaceAll("\0", ""),
    WORKSPACE_CONFIG_PATH: VOLUME_MOUNTS.configs,
    WORKSPACE_DIR_PATH: VOLUME_MOUNTS.workspace,
    PLUGINS_DIR: VOLUME_MOUNTS.plugins,
    HOME: VOLUME_MOUNTS.home,
    PLATFORM_URL: platformUrl,
    MOLECULE_URL: platformUrl,
    PORT: String(RUNTIME_PORT),
    HOST_BIND: "0.0.0.0",
    TIER: String(spec.tier),
    MOLECULE_ATTEMPT: String(spec.attemptNo),
    MOLECULE_INSTANCE: `${place.platformId}/${spec.workspaceId}/${spec.attemptNo}`,
    DELEGATION_RESULTS_FILE: `${VOLUME_MOUNTS.home}/.molecule/delegation-results.jsonl`,
    AGENT_ADAPTER: spec.runtime,
    AGENT_PACKAGE_DIR: `${AGENTS_IN_IMAGE}/${spec.runtime}`,
  };
  const given = Object.entries(spec.env).filter(
    ([name, value]) => ENV_NAME.test(name) && !(name in decided) && !value.includes("\0"),
  );
  return [...given, ...Object.entries(decided)].map(([name, value]) => `${name}=${value}`);
}

/**
 * The one template of an instance's container. Text of an agent or a person reaches `Env` and
 * labels' values only; every other field comes from `place` or is a constant.
 */
export function instanceCreateOptions(
  spec: InstanceSpec,
  place: ContainerPlace,
): { readonly name: string; readonly body: ContainerCreateOptions } {
  const port = `${RUNTIME_PORT}/tcp`;
  return {
    name: containerNameOf(spec),
    body: {
      Image: place.image,
      Hostname: aliasOf(spec.workspaceId),
      User: AGENT_USER,
      WorkingDir: VOLUME_MOUNTS.workspace,
      Entrypoint: [NODE_IN_IMAGE, RUNTIME_IN_IMAGE],
      Cmd: [],
      Env: environmentOf(spec, place),
      Labels: instanceLabels(place.platformId, spec),
      ExposedPorts: { [port]: {} },
      Healthcheck: { Test: ["NONE"] },
      StopSignal: "SIGTERM",
      StopTimeout: STOP_GRACE_SECONDS,
      Tty: false,
      OpenStdin: false,
      HostConfig: {
        ...confinement(place.limits),
        NetworkMode: place.network,
        ExtraHosts: [`host.docker.internal:${place.hostAddress}`],
        PublishAllPorts: false,
        PortBindings: { [port]: [{ HostIp: "127.0.0.1", HostPort: "" }] },
        Mounts: volumeMounts({ platformId: place.platformId, workspaceId: spec.workspaceId }),
      },
      NetworkingConfig: {
        EndpointsConfig: { [place.network]: { Aliases: [aliasOf(spec.workspaceId)] } },
      },
    },
  };
}
