import { describe, expect, it } from "vitest";
import type { InstanceSpec } from "../../provisioning/compute-backend.ts";
import { type ContainerPlace, instanceCreateOptions } from "./create-options.ts";
import { limitsOfTier } from "./tiers.ts";

const PLATFORM = "0b1c2d3e-0000-4000-8000-000000000001";
const WORKSPACE = "6f1f2a34-5b6c-4d7e-8f90-123456789abc";

const place: ContainerPlace = {
  platformId: PLATFORM,
  image: "molecule/runtime-demo:0.1.0-abc",
  network: "molecule-0b1c2d3e",
  hostAddress: "172.30.0.1",
  platformPort: 8080,
  limits: limitsOfTier(2),
};
const spec: InstanceSpec = {
  workspaceId: WORKSPACE,
  attemptNo: 7,
  name: "Ada",
  runtime: "demo",
  tier: 2,
  createToken: "token",
  env: { MODEL: "demo", ANTHROPIC_API_KEY: "sk-secret" },
  files: [],
  removedFiles: [],
};

const mount = (kind: string, target: string) => ({
  Type: "volume",
  Source: `ws-${WORKSPACE}-${kind}`,
  Target: target,
  ReadOnly: false,
  VolumeOptions: {
    NoCopy: false,
    Labels: {
      "molecule.platform.managed": "true",
      "molecule.platform": PLATFORM,
      "molecule.workspace": WORKSPACE,
    },
    DriverConfig: { Name: "local", Options: {} },
  },
});

/** Everything but `Env`, whose values are the only place for text of people and agents. */
const golden = {
  Image: "molecule/runtime-demo:0.1.0-abc",
  Hostname: "ws-6f1f2a34-5b6",
  User: "1000:1000",
  WorkingDir: "/workspace",
  Entrypoint: ["/usr/local/bin/node", "/opt/molecule/runtime.mjs"],
  Cmd: [],
  Labels: {
    "molecule.platform.managed": "true",
    "molecule.platform": PLATFORM,
    "molecule.workspace": WORKSPACE,
    "molecule.attempt": "7",
  },
  ExposedPorts: { "8000/tcp": {} },
  Healthcheck: { Test: ["NONE"] },
  StopSignal: "SIGTERM",
  StopTimeout: 10,
  Tty: false,
  OpenStdin: false,
  HostConfig: {
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
    Tmpfs: { "/tmp": "rw,exec,nosuid,nodev,mode=1777,size=128m" },
    PidsLimit: 512,
    Memory: 536_870_912,
    MemorySwap: 536_870_912,
    CpuPeriod: 100_000,
    CpuQuota: 100_000,
    Ulimits: [{ Name: "core", Soft: 0, Hard: 0 }],
    Init: true,
    RestartPolicy: { Name: "no", MaximumRetryCount: 0 },
    AutoRemove: false,
    LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    NetworkMode: "molecule-0b1c2d3e",
    ExtraHosts: ["host.docker.internal:172.30.0.1"],
    PublishAllPorts: false,
    PortBindings: { "8000/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
    Mounts: [
      mount("configs", "/configs"),
      mount("workspace", "/workspace"),
      mount("home", "/home/agent"),
      mount("plugins", "/plugins"),
    ],
  },
  NetworkingConfig: {
    EndpointsConfig: { "molecule-0b1c2d3e": { Aliases: ["ws-6f1f2a34-5b6"] } },
  },
};

const withoutEnv = (given: InstanceSpec): unknown => {
  const { Env: _env, ...rest } = instanceCreateOptions(given, place).body;
  return rest;
};
const envOf = (given: InstanceSpec): string[] => instanceCreateOptions(given, place).body.Env ?? [];

describe("the create options of an instance", () => {
  it("are these and no others", () => {
    expect(instanceCreateOptions(spec, place).name).toBe("ws-6f1f2a34-5b6-7");
    expect(withoutEnv(spec)).toEqual(golden);
    expect(envOf(spec)).toEqual([
      "MODEL=demo",
      "ANTHROPIC_API_KEY=sk-secret",
      `WORKSPACE_ID=${WORKSPACE}`,
      "WORKSPACE_NAME=Ada",
      "WORKSPACE_CONFIG_PATH=/configs",
      "WORKSPACE_DIR_PATH=/workspace",
      "PLUGINS_DIR=/plugins",
      "HOME=/home/agent",
      "PLATFORM_URL=http://host.docker.internal:8080",
      "MOLECULE_URL=http://host.docker.internal:8080",
      "PORT=8000",
      "HOST_BIND=0.0.0.0",
      "TIER=2",
      "MOLECULE_ATTEMPT=7",
      `MOLECULE_INSTANCE=${PLATFORM}/${WORKSPACE}/7`,
      "DELEGATION_RESULTS_FILE=/home/agent/.molecule/delegation-results.jsonl",
      "AGENT_ADAPTER=demo",
      "AGENT_PACKAGE_DIR=/opt/agents/demo",
    ]);
  });

  const hostile = {
    HostConfig: { Privileged: true, Binds: ["/:/host"] },
    Binds: ["/var/run/docker.sock:/var/run/docker.sock"],
    Privileged: true,
    Devices: [{ PathOnHost: "/dev/sda" }],
    Entrypoint: ["/bin/sh"],
    User: "0:0",
    __proto__: { Privileged: true },
  };
  const injections: Record<string, Partial<InstanceSpec>> = {
    "a name with options in it": { name: '", "HostConfig": {"Privileged": true}, "x": "' },
    "a name with lines and flags": { name: "--privileged\n-v /:/host\r\nUser: 0" },
    "variables named like options": {
      env: {
        HostConfig: '{"Privileged":true}',
        Binds: "/:/host",
        Privileged: "true",
        "X\nUser": "0:0",
        "A=B": "c",
        "": "empty",
      },
    },
    "more fields than a spec has": hostile as unknown as Partial<InstanceSpec>,
    "hostile files": {
      files: [{ path: "../../etc/passwd", content: new Uint8Array(), mode: 0o4777 }],
      removedFiles: ["/"],
    },
    "a hostile create token": { createToken: "--cap-add=ALL" },
  };
  for (const [what, parts] of Object.entries(injections)) {
    it(`stay the same for ${what}`, () => {
      expect(withoutEnv({ ...spec, ...parts })).toEqual(golden);
    });
  }

  it("let no secret replace what the platform decides, nor smuggle in a second variable", () => {
    const env = envOf({
      ...spec,
      env: {
        PLATFORM_URL: "http://evil",
        WORKSPACE_ID: "other",
        HOST_BIND: "127.0.0.1",
        "GOOD=1\nEVIL": "x",
        "2BAD": "x",
        NUL: "a\0b",
        FINE: "line one\nline two",
      },
    });
    expect(env.filter((line) => line.startsWith("PLATFORM_URL="))).toEqual([
      "PLATFORM_URL=http://host.docker.internal:8080",
    ]);
    expect(env.filter((line) => line.startsWith("WORKSPACE_ID="))).toEqual([
      `WORKSPACE_ID=${WORKSPACE}`,
    ]);
    expect(env.some((line) => /EVIL|2BAD|NUL/.test(line))).toBe(false);
    expect(env).toContain("FINE=line one\nline two");
  });

  it("differ between tiers in limits alone", () => {
    const limitKeys = ["Memory", "MemorySwap", "CpuQuota", "Tmpfs"];
    const hostConfigs = [1, 2, 3, 4].map((tier) => {
      const limits = limitsOfTier(tier);
      const { body } = instanceCreateOptions({ ...spec, tier }, { ...place, limits });
      const entries = Object.entries(body.HostConfig ?? {});
      return Object.fromEntries(entries.filter(([key]) => !limitKeys.includes(key)));
    });
    for (const hostConfig of hostConfigs) expect(hostConfig).toEqual(hostConfigs[0]);
  });
});
