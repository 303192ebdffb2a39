import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { z } from "zod";

/** The four calls of the service. Source: wire contract §19.3. */
export type ControlPlaneCall = "provision" | "stop" | "status" | "console";

/** What a call answers instead, the next `times` times. */
export interface ControlPlaneFault {
  readonly times: number;
  /** Absent: the connection is cut without an answer. */
  readonly status?: number;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** It is done all the same, and only the answer is this one. */
  readonly isDone?: boolean;
}

/** A call as it came. */
export interface SeenCall {
  readonly call: ControlPlaneCall;
  readonly workspaceId: string;
  readonly instanceId: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

interface Machine {
  readonly id: string;
  readonly workspaceId: string;
  readonly folder: string;
  readonly address: string;
  state: "pending" | "running" | "failed" | "terminated";
  output: string;
  child: ChildProcess | null;
}

/** How the service is set up. */
export interface ControlPlaneSetup {
  readonly sharedSecret?: string;
  readonly consoleToken?: string;
  /** Port of every machine's runtime, on an address of its own. */
  readonly agentPort: number;
}

const provisionBody = z.object({
  org_id: z.string(),
  workspace_id: z.uuid(),
  runtime: z.string().min(1),
  tier: z.number().int(),
  platform_url: z.url(),
  env: z.record(z.string(), z.string()),
});
const CONSOLE_CHARS = 65_536;

/**
 * Somebody else's service that owns machines, on loopback. Its machines are real: each has an address of its
 * own, fetches the runtime it is told of, compares its hash, and runs it as a process. It knows the platform
 * by its secrets and makes one machine per `Idempotency-Key`; faults are switched on with `fail`.
 */
export class FakeControlPlane implements AsyncDisposable {
  readonly calls: SeenCall[] = [];
  /** A stop is answered and nothing ends. */
  ignoresStops = false;
  /** What machines fetch is not what they were told of. */
  spoilsRuntimes = false;
  /** A service that does not heed the header makes a machine for every call. */
  heedsKeys = true;
  readonly #setup: ControlPlaneSetup;
  readonly #folder: string;
  readonly #machines = new Map<string, Machine>();
  readonly #byKey = new Map<string, Machine>();
  readonly #faults = new Map<ControlPlaneCall, ControlPlaneFault>();
  #counter = 0;
  readonly #server = createServer((req, res) => {
    this.#answer(req, res).catch((error: unknown) => {
      res.writeHead(500, { "content-type": "application/json" });
      res.end(JSON.stringify({ error: String(error) }));
    });
  });

  private constructor(setup: ControlPlaneSetup, folder: string) {
    this.#setup = setup;
    this.#folder = folder;
  }

  /** Listens on a free loopback port. */
  static async start(setup: ControlPlaneSetup): Promise<FakeControlPlane> {
    const folder = await mkdtemp(path.join(tmpdir(), "molecule-control-plane-"));
    const plane = new FakeControlPlane(setup, folder);
    await new Promise<void>((resolve) => plane.#server.listen(0, "127.0.0.1", resolve));
    return plane;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Switches a fault on; the next one of the same call replaces it. */
  fail(call: ControlPlaneCall, fault: ControlPlaneFault): void {
    this.#faults.set(call, fault);
  }

  /** Machines that have not ended, by their id. */
  running(): readonly string[] {
    return [...this.#machines.values()]
      .filter(({ state }) => state === "pending" || state === "running")
      .map(({ id }) => id);
  }

  /** How many machines were ever made. */
  get made(): number {
    return this.#counter;
  }

  /** Ends what a machine runs, as a crash would. */
  async crash(id: string): Promise<void> {
    const machine = this.#machines.get(id);
    if (machine === undefined) throw new Error("invariant: only what was made crashes");
    machine.state = "failed";
    await endOf(machine);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const machine of this.#machines.values()) {
      machine.state = "terminated";
      await endOf(machine);
    }
    await rm(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const url = new URL(req.url ?? "/", "http://fake");
    const body = await bodyOf(req);
    const seen = callOf(req, url, body);
    if (seen === null) return void send(res, 404, { error: "no such route" });
    this.calls.push(seen);
    const wanted = seen.call === "console" ? this.#setup.consoleToken : this.#setup.sharedSecret;
    if (wanted !== undefined && req.headers.authorization !== `Bearer ${wanted}`) {
      return void send(res, 401, { error: "unknown caller" });
    }
    const fault = this.#takeFault(seen.call);
    if (fault === null) return void send(res, ...(await this.#do(seen)));
    if (fault.isDone === true) await this.#do(seen);
    if (fault.status === undefined) return void res.destroy();
    res.writeHead(fault.status, { "content-type": "text/plain", ...fault.headers });
    res.end(fault.body ?? "");
  }

  #takeFault(call: ControlPlaneCall): ControlPlaneFault | null {
    const fault = this.#faults.get(call);
    if (fault === undefined || fault.times <= 0) return null;
    this.#faults.set(call, { ...fault, times: fault.times - 1 });
    return fault;
  }

  async #do(seen: SeenCall): Promise<[number, unknown]> {
    if (seen.call === "provision") return await this.#provision(seen);
    const machine = this.#machines.get(seen.instanceId);
    if (machine === undefined || machine.workspaceId !== seen.workspaceId) {
      return [404, { error: "no such instance" }];
    }
    if (seen.call === "status") return [200, { state: machine.state }];
    if (seen.call === "console") return [200, { output: machine.output }];
    if (!this.ignoresStops) {
      machine.state = "terminated";
      await endOf(machine);
    }
    return [200, { status: "stopping" }];
  }

  async #provision({ body, headers }: SeenCall): Promise<[number, unknown]> {
    const parsed = provisionBody.safeParse(body);
    if (!parsed.success) return [400, { error: parsed.error.message }];
    const key = this.heedsKeys ? String(headers["idempotency-key"] ?? "") : "";
    const known = key === "" ? undefined : this.#byKey.get(key);
    const machine = known ?? (await this.#make(parsed.data));
    if (key !== "") this.#byKey.set(key, machine);
    const { id, address, state } = machine;
    return [201, { instance_id: id, private_ip: address, state }];
  }

  async #make({ workspace_id, env }: z.infer<typeof provisionBody>): Promise<Machine> {
    this.#counter += 1;
    const id = `cp-${randomBytes(6).toString("hex")}`;
    const folder = path.join(this.#folder, id);
    await mkdir(folder);
    const machine: Machine = {
      id,
      workspaceId: workspace_id,
      folder,
      // Every address of 127.0.0.0/8 is this machine, so each of ours has one.
      address: `127.77.${Math.floor(this.#counter / 250) % 250}.${(this.#counter % 250) + 1}`,
      state: "pending",
      output: "",
      child: null,
    };
    this.#machines.set(id, machine);
    // It boots by itself; what goes wrong is on its console.
    void this.#boot(machine, env).catch((error: unknown) => {
      print(machine, `boot failed: ${error instanceof Error ? error.message : String(error)}\n`);
      if (machine.state === "pending") machine.state = "failed";
    });
    return machine;
  }

  async #boot(machine: Machine, env: Readonly<Record<string, string>>): Promise<void> {
    print(machine, `machine ${machine.id} boots\n`);
    const runtime = path.join(machine.folder, "runtime.mjs");
    const answer = await fetch(env.MOLECULE_RUNTIME_URL ?? "", {
      headers: { authorization: `Bearer ${env.MOLECULE_BOOT_TOKEN}` },
    });
    if (!answer.ok) throw new Error(`the runtime was refused with ${answer.status}`);
    const fetched = Buffer.from(await answer.arrayBuffer());
    const bytes = this.spoilsRuntimes ? Buffer.concat([fetched, Buffer.from(" ")]) : fetched;
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    if (sha256 !== env.MOLECULE_RUNTIME_SHA256) throw new Error("the runtime is another one");
    await writeFile(runtime, bytes);
    if (machine.state !== "pending") return;
    const at = (name: string) => path.join(machine.folder, name);
    const child = spawn(process.execPath, [runtime], {
      cwd: machine.folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH ?? "",
        ...env,
        WORKSPACE_CONFIG_PATH: at("configs"),
        WORKSPACE_DIR_PATH: at("workspace"),
        HOME: at("home"),
        PLUGINS_DIR: at("plugins"),
        HOST_BIND: machine.address,
        PORT: String(this.#setup.agentPort),
      },
    });
    machine.child = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => print(machine, chunk.toString("utf8")));
    }
    child.once("exit", (code, signal) => {
      print(machine, `the runtime ended (${signal ?? code})\n`);
      if (machine.state !== "terminated") machine.state = "failed";
    });
    machine.state = "running";
  }
}

function print(machine: Machine, text: string): void {
  machine.output = (machine.output + text).slice(-CONSOLE_CHARS);
}

async function endOf({ child }: Machine): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

function callOf(req: IncomingMessage, url: URL, body: unknown): SeenCall | null {
  const { headers } = req;
  const instanceId = url.searchParams.get("instance_id") ?? "";
  const seen = (call: ControlPlaneCall, workspaceId: string) => ({
    call,
    workspaceId,
    instanceId,
    headers,
    body,
  });
  const route = `${req.method} ${url.pathname}`;
  if (route === "POST /cp/workspaces/provision") return seen("provision", "");
  const [, stopped] = /^DELETE \/cp\/workspaces\/([^/]+)$/.exec(route) ?? [];
  if (stopped !== undefined) return seen("stop", stopped);
  const [, asked] = /^GET \/cp\/workspaces\/([^/]+)\/status$/.exec(route) ?? [];
  if (asked !== undefined) return seen("status", asked);
  const [, shown] = /^GET \/cp\/admin\/workspaces\/([^/]+)\/console$/.exec(route) ?? [];
  return shown === undefined ? null : seen("console", shown);
}

async function bodyOf(req: IncomingMessage): Promise<unknown> {
  let text = "";
  for await (const chunk of req) text += String(chunk);
  return text === "" ? undefined : JSON.parse(text);
}

function send(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
