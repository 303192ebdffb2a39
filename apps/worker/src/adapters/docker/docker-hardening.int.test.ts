import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { realPart } from "@molecule/testing/require-real";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Instance } from "../../provisioning/compute-backend.ts";
import { aliasOf } from "./names.ts";
import { type DockerTestBed, isEngineRunning, openDockerTestBed } from "./test-bed.ts";

const never = new AbortController().signal;
const dockerHost = process.env.DOCKER_HOST;
const hasEngine = realPart(
  "A Docker engine",
  await isEngineRunning(dockerHost),
  "install docker.io and start dockerd (or run .ci/docker-engine.sh as root)",
);
const IS_LONG = process.env.MOLECULE_TEST_LONG === "1";
const isRoot = process.getuid?.() === 0;

/** Prints "connected" when a TCP connection opens within two seconds, else why not. */
const DIAL = `
const socket = require("node:net").connect({ host: process.argv[1], port: Number(process.argv[2]) });
const end = (text) => { console.log(text); process.exit(0); };
socket.on("connect", () => end("connected"));
socket.on("error", (error) => end(error.code ?? "error"));
setTimeout(() => end("timeout"), 2000);
`;

describe.runIf(hasEngine)("from inside a container", () => {
  let bed: DockerTestBed;
  let agent: Instance;
  let neighbour: Instance;
  let gateway: string;
  const servers: Server[] = [];

  const sh = (script: string) => bed.run(agent.providerId, ["/bin/bash", "-c", script]);
  const dial = async (host: string, port: number) =>
    (await bed.run(agent.providerId, ["/usr/local/bin/node", "-e", DIAL, host, String(port)]))
      .output;
  const listen = async (host: string, port: number): Promise<number> => {
    const server = createServer((_request, response) => response.end("here"));
    servers.push(server);
    server.listen(port, host);
    await new Promise((resolve) => server.once("listening", resolve));
    return (server.address() as AddressInfo).port;
  };

  beforeAll(async () => {
    bed = await openDockerTestBed(dockerHost);
    await bed.backend.prepare("demo", () => undefined, never);
    gateway = (await bed.backend.bridgeGateway()) ?? "";
    [agent, neighbour] = await Promise.all([
      bed.backend.create(bed.specOf(), never),
      bed.backend.create(bed.specOf(), never),
    ]);
  }, 240_000);
  afterAll(async () => {
    for (const server of servers) server.close();
    await bed.close();
  }, 60_000);

  it("runs as the unprivileged agent user", async () => {
    expect((await sh("id -u; id -g; id -G; id -un")).output).toBe("1000\n1000\n1000\nagent");
  });

  it("has no capability in any set, no new privileges and a system call filter", async () => {
    const status = (await sh("cat /proc/self/status")).output;
    for (const set of ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]) {
      expect(status).toMatch(new RegExp(`^${set}:\\s+0000000000000000$`, "m"));
    }
    expect(status).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(status).toMatch(/^Seccomp:\s+2$/m);
  });

  it("cannot become another user", async () => {
    expect((await sh("perl -MPOSIX -e 'exit(POSIX::setuid(0) ? 0 : 3)'")).code).toBe(3);
    expect((await sh("chown 0:0 /workspace")).code).not.toBe(0);
  });

  it("finds no program with a set-uid or set-gid bit", async () => {
    expect((await sh("find / -xdev -perm /6000 -type f 2>/dev/null")).output).toBe("");
  });

  it.each(["/x", "/usr/local/bin/x", "/etc/x", "/opt/molecule/x", "/var/tmp/x", "/run/x"])(
    "cannot write %s",
    async (path) => {
      expect((await sh(`echo x > ${path}`)).code).not.toBe(0);
    },
  );

  it("cannot replace the runtime or Node", async () => {
    const targets = "/opt/molecule/runtime.mjs /usr/local/bin/node";
    for (const target of targets.split(" ")) {
      expect((await sh(`echo x >> ${target}`)).code).not.toBe(0);
      expect((await sh(`rm -f ${target}`)).code).not.toBe(0);
    }
  });

  it("writes its own folders and a bounded /tmp", async () => {
    const script =
      "for d in /configs /workspace /plugins ~ /tmp; do echo x > $d/probe || exit 1; done";
    expect((await sh(script)).code).toBe(0);
    expect((await sh("head -c 200M /dev/zero > /tmp/full")).output).toContain("No space left");
    await sh("rm -f /tmp/full");
  });

  it("has no Docker socket and no block device", async () => {
    expect((await sh("ls /var/run/docker.sock /run/docker.sock")).code).not.toBe(0);
    expect((await sh("find /dev -type b")).output).toBe("");
  });

  it("has nothing of the host mounted beside its volumes", async () => {
    const mounts = (await sh("cat /proc/self/mountinfo")).output.split("\n");
    const fromDisk = mounts
      .map((line) => line.split(" - "))
      .filter(([, tail]) => {
        return !/^(overlay|proc|sysfs|tmpfs|devpts|mqueue|cgroup2?) /.test(tail ?? "");
      });
    const targets = fromDisk
      .map(([head]) => head?.split(" ")[4] ?? "")
      .filter((target) => !target.endsWith("/docker-init"))
      .sort();
    expect(targets).toEqual([
      "/configs",
      "/etc/hostname",
      "/etc/hosts",
      "/etc/resolv.conf",
      "/home/agent",
      "/plugins",
      "/workspace",
    ]);
  });

  it.each([
    ["mount a file system", "mount -t tmpfs none /workspace"],
    ["make a device", "mknod /tmp/sda b 8 0"],
    ["make a user namespace", "unshare --user --map-root-user true"],
    ["open a raw socket", "perl -MSocket -e 'socket(S, PF_INET, SOCK_RAW, 1) or exit 3'"],
    ["change a kernel setting", "echo 1 > /proc/sys/kernel/panic"],
    ["trigger the kernel", "echo h > /proc/sysrq-trigger"],
    [
      "write a control group",
      "find /sys/fs/cgroup -name cgroup.procs -exec sh -c 'echo 1 > {}' \\; 2>&1 | grep -q . && exit 3",
    ],
    ["change its own name", "echo other > /proc/sys/kernel/hostname"],
    ["change its name resolution", "echo 127.0.0.1 evil >> /etc/hosts"],
  ])("cannot %s", async (_what, script) => {
    expect((await sh(script)).code).not.toBe(0);
  });

  it("sees its own processes only", async () => {
    const names = (await sh("cat /proc/[0-9]*/comm | sort -u")).output.split("\n");
    expect(names).toContain("docker-init");
    expect(names).not.toContain("dockerd");
    expect(names.length).toBeLessThan(10);
  });

  it("reaches the platform's port by the name it was given", async () => {
    await listen(gateway, bed.platformPort);
    expect(await dial("host.docker.internal", bed.platformPort)).toBe("connected");
  });

  it.runIf(isRoot)("reaches no other port of this machine by any address", async () => {
    const port = await listen("0.0.0.0", 0);
    const own = Object.values(networkInterfaces())
      .flat()
      .filter((entry) => entry?.family === "IPv4" && !entry.internal)
      .map((entry) => entry?.address ?? "");
    for (const address of [gateway, ...own]) {
      expect([address, await dial(address, port)]).toEqual([
        address,
        expect.not.stringMatching("connected"),
      ]);
    }
    expect(await dial("127.0.0.1", port)).toBe("ECONNREFUSED");
  });

  it("does not reach another workspace by name, by address or by its published port", async () => {
    const info = await bed.engine.docker.getContainer(neighbour.providerId).inspect();
    const address = Object.values(info.NetworkSettings.Networks)[0]?.IPAddress ?? "";
    expect(address).not.toBe("");
    expect(await dial(address, 8000)).not.toBe("connected");
    expect(await dial(aliasOf(neighbour.workspaceId), 8000)).not.toBe("connected");
    const published = Number(neighbour.address?.split(":")[1]);
    expect(await dial(gateway, published)).not.toBe("connected");
  });

  it.runIf(isRoot)("is refused by link-local services, a cloud's metadata among them", async () => {
    expect(await dial("169.254.169.254", 80)).toBe("ECONNREFUSED");
  });

  it("keeps tokens to the agent's own uid and out of the container's labels", async () => {
    expect((await sh("stat -c '%a %u' /configs/.auth_token")).output).toBe("600 1000");
    const info = await bed.engine.docker.getContainer(agent.providerId).inspect();
    expect(JSON.stringify(info.Config.Labels)).not.toContain("wst_");
  });

  it("shows its secrets nowhere but in its own environment: no label, command, volume, network or image layer", async () => {
    const env = Object.fromEntries(
      Array.from({ length: 200 }, (_, n) => [`KEY_${n}`, `sk-canary-${randomUUID()}`]),
    );
    const files = [
      { path: ".auth_token", content: Buffer.from(`wst_${randomUUID()}`), mode: 0o600 },
    ];
    const planted = [...Object.values(env), String(files[0]?.content)];
    const made = await bed.backend.create(bed.specOf({ env, files }), never);
    const { docker } = bed.engine;
    const { Config, ...info } = await docker.getContainer(made.providerId).inspect();
    const { Env, ...config } = Config;
    const image = docker.getImage(info.Image);
    const { Volumes } = await docker.listVolumes();
    const shown = JSON.stringify([
      config,
      info,
      await docker.listContainers({ all: true }),
      await docker.listNetworks(),
      Volumes,
      await image.inspect(),
      await image.history(),
    ]);
    // By design: an agent's secrets are its environment, which only who has the engine sees.
    expect(Env.join()).toContain(planted[0]);
    expect(planted.filter((value) => shown.includes(value))).toEqual([]);
    if (IS_LONG) await refuseInLayers(bed, made, ["sk-canary-", String(files[0]?.content)]);
    await bed.backend.remove(made, never);
  }, 120_000);

  it("is held to its memory: more is killed, and swap adds none", async () => {
    const hog = "const all=[];for(;;)all.push(Buffer.alloc(1e7,1))";
    const { code } = await bed.run(neighbour.providerId, ["/usr/local/bin/node", "-e", hog]);
    expect(code).toBe(137);
    const { HostConfig } = await bed.engine.docker.getContainer(neighbour.providerId).inspect();
    expect(HostConfig.MemorySwap).toBe(HostConfig.Memory);
  });

  it("is held to its number of processes, and the platform still reaches it", async () => {
    const { output } = await sh("for i in $(seq 600); do sleep 5 & done 2>&1; true");
    expect(output).toContain("Resource temporarily unavailable");
    expect(await bed.backend.inspect(agent)).toMatchObject({ state: "running" });
    await bed.backend.remove(agent, never);
    expect(await bed.backend.inspect(agent)).toBeNull();
  });
});

/** What the container wrote outside its volumes, and the layers that it stands on, hold none of `texts`. */
async function refuseInLayers(
  bed: DockerTestBed,
  { providerId }: Instance,
  texts: readonly string[],
): Promise<void> {
  const exported = await bed.engine.docker.getContainer(providerId).export();
  let tail = "";
  let bytes = 0;
  for await (const chunk of exported) {
    const text = tail + Buffer.from(chunk).toString("latin1");
    expect(texts.filter((one) => text.includes(one))).toEqual([]);
    bytes += chunk.length;
    tail = text.slice(-100);
  }
  expect(bytes).toBeGreaterThan(1_000_000);
}
