import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { computeBackendContract } from "../../provisioning/compute-backend.contract.ts";
import { BackendError } from "../../provisioning/compute-backend.ts";
import {
  CONSOLE_TOKEN,
  type ControlPlaneBed,
  openControlPlaneBed,
  SHARED_SECRET,
} from "./control-plane.fixture.ts";

const never = new AbortController().signal;

computeBackendContract("control-plane", async () => {
  const bed = await openControlPlaneBed();
  return {
    backend: bed.backend,
    specDefaults: { name: "Ada", runtime: "demo", tier: 3, env: {} },
    address: /^127\.77\.\d+\.\d+:\d+$/,
    servesHttp: true,
    crash: async (instance) => {
      await waitUntil("it runs", async () => bed.plane.running().includes(instance.providerId));
      await bed.plane.crash(instance.providerId);
    },
    close: async () => {
      expect(bed.plane.running()).toEqual([]);
      await bed[Symbol.asyncDispose]();
    },
  };
});

describe("the control plane's calls", () => {
  let bed: ControlPlaneBed;
  beforeAll(async () => {
    bed = await openControlPlaneBed();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  const failureOf = async (work: Promise<unknown>): Promise<BackendError> => {
    const error = await work.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof BackendError)) throw new Error(`no BackendError: ${String(error)}`);
    return error;
  };

  it("say what the contract says, with its headers, and no secret of the workspace", async () => {
    const spec = bed.specOf();
    await bed.backend.create(spec, never);
    await bed.backend.console?.(spec.workspaceId, 1);
    await bed.backend.remove(spec, never);
    const of = (call: string) => bed.plane.calls.find((one) => one.call === call);
    expect(of("provision")?.body).toMatchObject({
      org_id: "org-1",
      workspace_id: spec.workspaceId,
      runtime: "demo",
      tier: 3,
      env: {
        WORKSPACE_ID: spec.workspaceId,
        MOLECULE_ATTEMPT: "1",
        MODEL: "m",
        MOLECULE_BOOT_TOKEN: `wbt_${spec.workspaceId}-1`,
        MOLECULE_RUNTIME_SHA256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect(JSON.stringify(bed.plane.calls)).not.toContain("sk-secret-of-the-workspace");
    for (const call of ["provision", "stop", "status"]) {
      expect(of(call)?.headers).toMatchObject({
        authorization: `Bearer ${SHARED_SECRET}`,
        "x-molecule-admin-token": "admin-token-4711",
      });
    }
    expect(of("console")?.headers.authorization).toBe(`Bearer ${CONSOLE_TOKEN}`);
    expect(of("provision")?.headers["idempotency-key"]).toBe(spec.createToken);
  });

  it("log at most 512 bytes of a refusal, and tell a fixed sentence without any of them", async () => {
    const spec = bed.specOf();
    const body = `quota of i-0abc: ${SHARED_SECRET} wbt_leaked-token ${"€".repeat(2_000)}`;
    bed.plane.fail("provision", { times: 1, status: 403, body });
    const { failure, isRetryable } = await failureOf(bed.backend.create(spec, never));
    expect([failure.code, isRetryable]).toEqual(["backend_unavailable", false]);
    expect(JSON.stringify(failure)).not.toMatch(/quota|i-0abc|leaked/);
    const line = bed.logged.at(-1) ?? "";
    const logged = (JSON.parse(line.slice(line.indexOf("{"))) as { body: string }).body;
    expect(logged).toContain("quota of i-0abc");
    expect(Buffer.byteLength(logged)).toBeLessThanOrEqual(512 + 8);
    expect(logged).not.toContain(SHARED_SECRET);
    expect(logged).not.toContain("leaked");
    for (const status of [400, 404, 409, 302]) {
      bed.plane.fail("provision", {
        times: 1,
        status,
        headers: { location: "http://127.0.0.1:1" },
      });
      const told = await failureOf(bed.backend.create(bed.specOf(), never));
      expect([status, told.failure.code, told.isRetryable]).toEqual([
        status,
        "create_failed",
        false,
      ]);
    }
    expect(bed.plane.running()).toEqual([]);
  });

  it("wait as long as a service with too many requests asks, and then make one machine", async () => {
    const before = bed.plane.made;
    bed.plane.fail("provision", { times: 2, status: 429, headers: { "retry-after": "1" } });
    const spec = bed.specOf();
    await bed.backend.create(spec, never);
    expect(bed.plane.made - before).toBe(1);
    // One that asks for an hour is the reconciler's to wait for.
    bed.plane.fail("status", { times: 1, status: 429, headers: { "retry-after": "3600" } });
    const asked = bed.plane.calls.length;
    const { failure, isRetryable } = await failureOf(bed.backend.inspect(spec));
    expect([failure.code, isRetryable]).toEqual(["engine_unavailable", true]);
    expect(bed.plane.calls.length - asked).toBe(1);
    await bed.backend.remove(spec, never);
  });

  it("are repeated when nothing comes back, but a creation by whoever asked for it alone", async () => {
    const spec = bed.specOf();
    await bed.backend.create(spec, never);
    bed.plane.fail("status", { times: 2 });
    expect(await bed.backend.inspect(spec)).toMatchObject({ state: "running" });
    bed.plane.fail("stop", { times: 2, status: 502 });
    await bed.backend.remove(spec, never);
    expect(await bed.backend.inspect(spec)).toBeNull();
    const lost = bed.specOf();
    const before = bed.plane.calls.length;
    bed.plane.fail("provision", { times: 1, isDone: true });
    const { isRetryable } = await failureOf(bed.backend.create(lost, never));
    expect([isRetryable, bed.plane.calls.length - before]).toEqual([true, 1]);
    // The same key gives the machine whose answer was lost, also to another worker.
    const [running] = bed.plane.running();
    const found = await bed.another().create(lost, never);
    expect(found.providerId).toBe(running);
    await bed.backend.remove(lost, never);
    expect(bed.plane.running()).toEqual([]);
  });

  it("leave no machine behind whose answer was lost and that nobody wants any more", async () => {
    const lost = bed.specOf();
    const before = bed.plane.made;
    bed.plane.fail("provision", { times: 1, status: 504, isDone: true });
    await failureOf(bed.backend.create(lost, never));
    expect(bed.plane.running()).toHaveLength(1);
    expect(await bed.backend.inspect(lost)).toBeNull();
    // A service that is away is asked again later, and nothing is forgotten.
    bed.plane.fail("provision", { times: 1, status: 503, headers: { "retry-after": "3600" } });
    const { failure } = await failureOf(bed.another().remove(lost, never));
    expect(failure.code).toBe("stop_failed");
    await bed.another().remove(lost, never);
    expect([bed.plane.made - before, bed.plane.running()]).toEqual([1, []]);
    bed.plane.heedsKeys = false;
    const deaf = bed.specOf();
    bed.plane.fail("provision", { times: 1, status: 400 });
    await failureOf(bed.backend.create(deaf, never));
    await bed.backend.remove(deaf, never);
    bed.plane.heedsKeys = true;
    expect(bed.plane.running()).toEqual([]);
  });

  it("end by their deadline, and say that the service does not answer", async () => {
    const away = bed.another({ baseUrl: "http://127.0.0.1:1", callTimeoutMs: 500 });
    const { failure, isRetryable } = await failureOf(away.create(bed.specOf(), never));
    expect([failure.code, isRetryable]).toEqual(["engine_unavailable", true]);
    expect(failure.sentence).not.toContain("127.0.0.1");
  });

  it("count a stop as done only when the machine is gone", async () => {
    const spec = bed.specOf();
    await bed.backend.create(spec, never);
    bed.plane.ignoresStops = true;
    const { failure, isRetryable } = await failureOf(bed.backend.remove(spec, never));
    expect([failure.code, isRetryable]).toEqual(["stop_failed", true]);
    expect(await bed.backend.inspect(spec)).not.toBeNull();
    bed.plane.ignoresStops = false;
    await bed.backend.remove(spec, never);
    expect(bed.plane.running()).toEqual([]);
  });

  it("bring the console of a boot that failed, line by line and as a whole", async () => {
    const spec = bed.specOf();
    const desk = {
      issue: async () => ({
        bootToken: "wbt_x",
        platformUrl: "http://127.0.0.1:1",
        runtimeUrl: "http://127.0.0.1:1/runtime",
        runtimeSha256: "0".repeat(64),
      }),
    };
    const failing = bed.another({ desk });
    await failing.create(spec, never);
    await waitUntil("the boot has failed", async () => {
      const seen = await failing.inspect(spec);
      return seen?.state === "exited";
    });
    expect(await failing.inspect(spec)).toMatchObject({ exit: "state failed", address: null });
    expect(await failing.console?.(spec.workspaceId, null)).toContain("boot failed");
    expect(await failing.logs(spec.workspaceId, 1, 1)).toEqual([
      expect.stringContaining("boot failed"),
    ]);
    await failing.remove(spec, never);
  });

  it("do not take words of an answer for a machine", async () => {
    bed.plane.fail("provision", { times: 1, status: 200, body: '{"error":"no capacity"}' });
    const { failure } = await failureOf(bed.backend.create(bed.specOf(), never));
    expect(failure.code).toBe("create_failed");
    bed.plane.fail("provision", { times: 1, status: 201, body: "<html>" });
    expect((await failureOf(bed.backend.create(bed.specOf(), never))).failure.code).toBe(
      "create_failed",
    );
    expect(bed.logged.some((line) => line.includes("no capacity"))).toBe(true);
  });
});
