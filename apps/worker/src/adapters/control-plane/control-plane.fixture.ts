import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { FakeControlPlane } from "@molecule/testing/control-plane";
import { freePort } from "@molecule/testing/product";
import type { BootDesk } from "../../provisioning/boot-desk.ts";
import type { ComputeBackend, InstanceSpec } from "../../provisioning/compute-backend.ts";
import { createFakeMachineMemory } from "../../provisioning/fake-machine-memory.ts";
import {
  type ControlPlaneBackendOptions,
  createControlPlaneBackend,
} from "./control-plane-backend.ts";

/** Stands in for the bundled runtime: a page at the machine's address. */
const TINY_RUNTIME = `
import { createServer } from "node:http";
console.log("runtime of attempt", process.env.MOLECULE_ATTEMPT);
createServer((req, res) => res.end("{}")).listen(Number(process.env.PORT), process.env.HOST_BIND);
`;

/** The secret the service and the platform share in tests. */
export const SHARED_SECRET = "shared-secret-4711";
/** Bearer of the console in tests. */
export const CONSOLE_TOKEN = "console-token-4711";

/** A backend over the fake service, whose machines fetch a tiny runtime. */
export interface ControlPlaneBed extends AsyncDisposable {
  readonly plane: FakeControlPlane;
  readonly backend: ComputeBackend;
  /** Everything that was logged, as one text each. */
  readonly logged: string[];
  /** Another worker's backend over the same memory. */
  another(over?: Partial<ControlPlaneBackendOptions>): ComputeBackend;
  specOf(over?: Partial<InstanceSpec>): InstanceSpec;
}

/** Starts service, page of the runtime and backend; waits are a hundredth. */
export async function openControlPlaneBed(): Promise<ControlPlaneBed> {
  const agentPort = await freePort();
  const setup = { sharedSecret: SHARED_SECRET, consoleToken: CONSOLE_TOKEN, agentPort };
  const plane = await FakeControlPlane.start(setup);
  const page = createServer((_req, res) => res.end(TINY_RUNTIME));
  await new Promise<void>((resolve) => page.listen(0, "127.0.0.1", resolve));
  const platformUrl = `http://127.0.0.1:${(page.address() as AddressInfo).port}`;
  const logged: string[] = [];
  const note = (data: object, message: string) =>
    void logged.push(`${message} ${JSON.stringify(data)}`);
  const desk: BootDesk = {
    issue: async ({ workspaceId, attemptNo }) => ({
      bootToken: `wbt_${workspaceId}-${attemptNo}`,
      platformUrl,
      runtimeUrl: `${platformUrl}/runtime`,
      runtimeSha256: createHash("sha256").update(TINY_RUNTIME).digest("hex"),
    }),
  };
  const options: ControlPlaneBackendOptions = {
    baseUrl: plane.url,
    sharedSecret: SHARED_SECRET,
    consoleToken: CONSOLE_TOKEN,
    adminToken: "admin-token-4711",
    orgId: "org-1",
    log: { debug: note, info: note, warn: note, error: note },
    timeScale: 0.01,
    callTimeoutMs: 10_000,
    memory: createFakeMachineMemory(),
    desk,
    platformUrl,
    agentPort,
    stopWithinMs: 200,
  };
  let counter = 0;
  return {
    plane,
    logged,
    backend: createControlPlaneBackend(options),
    another: (over = {}) => createControlPlaneBackend({ ...options, ...over }),
    specOf: (over = {}) => {
      counter += 1;
      return {
        workspaceId: `00000000-0000-4000-8000-${String(counter).padStart(12, "0")}`,
        attemptNo: 1,
        name: "Ada",
        runtime: "demo",
        tier: 3,
        createToken: `create-${counter}`,
        env: { AGENT_ADAPTER: "demo", MODEL: "m", OPENAI_API_KEY: "sk-secret-of-the-workspace" },
        files: [],
        removedFiles: [],
        ...over,
      };
    },
    [Symbol.asyncDispose]: async () => {
      await plane.stop();
      await new Promise((resolve) => page.close(resolve));
    },
  };
}
