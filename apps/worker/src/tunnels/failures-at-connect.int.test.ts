import { hasSshd } from "@molecule/testing/cloud/sshd";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { printOf } from "./host-key-check.ts";
import { errorOf, LOG, machine, wish } from "./light-bed.fixture.ts";
import { machineKeyOf } from "./target.ts";
import { servicesOn, startTunnelBed, type TunnelBed } from "./tunnel-bed.fixture.ts";

let bed: TunnelBed;
const connect = (change = {}) => errorOf(bed.pool(change).run(wish(), (one) => one.exec("true")));
const noneLeft = () => waitUntil("nothing is open", () => bed.ground.counts.live === 0);

/** Rows of the failure matrix that end a connection before it is there. */
describe.skipIf(!hasSshd())("a connection that cannot be made", () => {
  beforeAll(async () => {
    bed = await startTunnelBed();
  });
  beforeEach(() => bed.reset());
  afterAll(() => bed[Symbol.asyncDispose]());

  it("grant expired: the key is refused, and not tried again by itself", async () => {
    bed.ground.control.grantSeconds = -5;
    expect(await connect()).toMatchObject({ fault: "auth-failed", isRetryable: false });
    expect(bed.ground.counts.grants).toBe(1);
    await noneLeft();
  });

  it("wrong user: the same, as AWS does not know the users of a machine", async () => {
    const target = machine(0, "nobody-here");
    const work = bed.pool().run({ ...wish(), target }, (one) => one.exec("true"));
    expect(await errorOf(work)).toMatchObject({ fault: "auth-failed", isRetryable: false });
  });

  it("TU14 host key mismatch: refused, never tried again, never pinned anew", async () => {
    const key = machineKeyOf(machine());
    const pin = { type: "ssh-ed25519", sha256: "another", source: "provisioning" } as const;
    bed.pins.set(key, pin);
    expect(await connect()).toMatchObject({ fault: "host-key-mismatch", isRetryable: false });
    expect(bed.pins.get(key)).toBe(pin);
    await noneLeft();
  });

  it("TU14 the first use pins the key that ssh-keygen prints; the next use accepts it", async () => {
    const { type, sha256 } = bed.ground.sshd.hostKey;
    const run = () => bed.pool().run(wish(), (one) => one.exec("echo in"));
    expect([String(await run()), String(await run())]).toEqual(["in\n", "in\n"]);
    const pins = [...bed.pins.values()];
    expect(pins).toEqual([{ type, sha256, source: "first_use" }]);
  });

  it("TU14 a key that the machine told when it was made goes before all others", async () => {
    const { type, sha256 } = bed.ground.sshd.hostKey;
    const store = {
      find: () => Promise.resolve(null),
      pin: (name: string, pin: { type: string; sha256: string; source: "provisioning" }) => {
        bed.pins.set(name, pin);
        return Promise.resolve(pin);
      },
    };
    const connectTo = (told: { type: string; sha256: string }) => {
      const hostKeys = { log: LOG, store, toldBy: () => Promise.resolve(told) };
      const pool = bed.pool({}, { dialer: { hostKeys: hostKeys as never } });
      return pool.run(wish(), (one) => one.exec("true"));
    };
    await connectTo({ type, sha256 });
    expect([...bed.pins.values()]).toEqual([{ type, sha256, source: "provisioning" }]);
    const error = await errorOf(connectTo({ type, sha256: "another" }));
    expect(error).toMatchObject({ fault: "host-key-mismatch" });
  });

  it.each([
    ["its own", true],
    ["another's", false],
  ])("TU14 a key that the console printed is pinned: %s", async (_name, isOwn) => {
    const { publicKey } = bed.ground.sshd.hostKey;
    const other = Buffer.concat([
      Buffer.from([0, 0, 0, 11]),
      Buffer.from("ssh-ed25519"),
      Buffer.from([0, 0, 0, 1, 7]),
    ]).toString("base64");
    const line = isOwn ? publicKey : `ssh-ed25519 ${other}`;
    const text = `boot\n-----BEGIN SSH HOST KEY KEYS-----\n${line}\n-----END SSH HOST KEY KEYS-----\n`;
    const services = { ...servicesOn(bed.ground), console: () => Promise.resolve(text) };
    const { instanceId } = machine();
    const hostKeys = {
      log: { info: () => undefined, warn: () => undefined },
      consoleOf: () => services.console(),
      store: {
        find: () => Promise.resolve(null),
        pin: (name: string, pin: { type: string; sha256: string; source: "console" }) => {
          bed.pins.set(name, pin);
          return Promise.resolve(pin);
        },
      },
    };
    const pool = bed.pool({}, { dialer: { hostKeys: hostKeys as never } });
    const work = pool.run(wish(), (one) => one.exec("true"));
    if (isOwn) await work;
    else expect(await errorOf(work)).toMatchObject({ fault: "host-key-mismatch" });
    const pin = bed.pins.get(`1/us-east-2/${instanceId}`);
    const printed = printOf(Buffer.from(line.split(" ")[1] ?? "", "base64"));
    expect(pin).toEqual({ ...printed, source: "console" });
  });

  it.each([
    [400, false],
    [403, false],
    [404, false],
    [503, true],
  ])("websocket refused with %d: retryable %s", async (httpStatus, isRetryable) => {
    bed.ground.control.refuseStatus = httpStatus;
    const error = await connect();
    expect(error).toMatchObject({ fault: "ws-rejected", isRetryable, facts: { httpStatus } });
    expect(error).toHaveProperty("facts.requestId");
  });

  it("TU6 100 callers at a refusing endpoint: one call of AWS", async () => {
    bed.ground.control.refuseStatus = 503;
    const pool = bed.pool();
    const calls = Array.from({ length: 100 }, () => pool.run(wish(), (one) => one.exec("true")));
    const results = await Promise.allSettled(calls);
    expect(results.filter(({ status }) => status === "rejected")).toHaveLength(100);
    expect([bed.ground.counts.grants, bed.ground.counts.upgrades]).toEqual([1, 1]);
  });

  it.each([
    ["stopped", "EC2InstanceStateInvalidException", false],
    ["pending", "EC2InstanceUnavailableException", true],
    ["missing", "EC2InstanceNotFoundException", false],
  ])("instance %s: AWS says %s", async (state, awsError, isRetryable) => {
    bed.ground.states.set(machine().instanceId, state);
    const expected = { fault: "api-rejected", isRetryable, facts: { awsError } };
    expect(await connect()).toMatchObject(expected);
    await noneLeft();
  });

  it("AWS throttles: its own fault, retryable", async () => {
    bed.ground.control.apiError = "ThrottlingException";
    expect(await connect()).toMatchObject({ fault: "api-throttled", isRetryable: true });
  });

  it.each([
    ["refused", "localhost:1", "ECONNREFUSED", true],
    ["without a name", "nowhere.invalid", "ENOTFOUND", true],
  ])("endpoint %s", async (_name, dnsName, code, isRetryable) => {
    const endpoint = { endpointId: "eice-1", dnsName, subnetId: null };
    const services = {
      ...servicesOn(bed.ground),
      listEndpoints: () => Promise.resolve([endpoint]),
    };
    const pool = bed.pool({}, { dialer: { servicesOf: () => services } });
    const error = await errorOf(pool.run(wish(), (one) => one.exec("true")));
    expect(error).toMatchObject({ fault: "ws-unreachable", isRetryable });
    // A machine without a resolver says so in another way.
    if (code === "ECONNREFUSED") expect(error).toMatchObject({ facts: { code } });
  });

  it("endpoint with an unknown certificate: not retryable", async () => {
    const pool = bed.pool({}, { dialer: { certificate: undefined } });
    const error = await errorOf(pool.run(wish(), (one) => one.exec("true")));
    expect(error).toMatchObject({ fault: "ws-unreachable", isRetryable: false });
  });

  it("a wrong signature is refused by the endpoint", async () => {
    const credentials = { accessKeyId: "AKIATESTTESTTEST", secretAccessKey: "wrong" };
    const services = {
      ...servicesOn(bed.ground),
      credentials: () => Promise.resolve(credentials),
    };
    const pool = bed.pool({}, { dialer: { servicesOf: () => services } });
    const error = await errorOf(pool.run(wish(), (one) => one.exec("true")));
    expect(error).toMatchObject({ fault: "ws-rejected", facts: { httpStatus: 403 } });
    expect(bed.ground.counts.badSignatures).toBe(1);
  });

  it("sshd down behind the endpoint: the target cannot be reached", async () => {
    bed.ground.machineListens = false;
    const expected = {
      fault: "target-unreachable",
      isRetryable: false,
      facts: { closeCode: 1011 },
    };
    expect(await connect()).toMatchObject(expected);
  });

  it("half-open during the connect: ends at its deadline", async () => {
    bed.ground.control.isBlackHole = true;
    const error = await connect({ connectTimeoutMs: 300 });
    expect(error).toMatchObject({ fault: "handshake-timeout", isRetryable: true });
  });
});
