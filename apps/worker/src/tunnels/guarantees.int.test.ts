import { hasSshd } from "@molecule/testing/cloud/sshd";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ChannelLimitError, ExecError, FileError } from "./errors.ts";
import { errorOf, machine, wish } from "./light-bed.fixture.ts";
import { startTunnelBed, type TunnelBed } from "./tunnel-bed.fixture.ts";

let bed: TunnelBed;
const handshakes = () => bed.ground.counts.opened;

describe.skipIf(!hasSshd())("the ten guarantees of the predecessor's pool", () => {
  beforeAll(async () => {
    bed = await startTunnelBed();
  });
  beforeEach(() => bed.reset());
  afterAll(() => bed[Symbol.asyncDispose]());

  it("1: four operations are one set-up", async () => {
    const pool = bed.pool();
    const path = bed.at("four.txt");
    await pool.run(wish(), (one) => one.files.write(path, Buffer.from("hello")));
    const read = await pool.run(wish(), (one) => one.files.read(path, 100));
    const listed = await pool.run(wish(), (one) => one.files.list(bed.at("")));
    await pool.run(wish(), (one) => one.files.remove(path));
    expect(read?.toString()).toBe("hello");
    expect(listed.map(({ name }) => name)).toContain("four.txt");
    expect([handshakes(), bed.ground.counts.grants]).toEqual([1, 1]);
  });

  it("2: different machines and different users share nothing", async () => {
    const pool = bed.pool();
    const whoami = (index: number) => pool.run(wish(index), (one) => one.exec("id -un"));
    expect((await Promise.all([whoami(0), whoami(1), whoami(0)])).map(String)).toEqual(
      Array.from({ length: 3 }, () => `${bed.ground.sshd.user}\n`),
    );
    expect(handshakes()).toBe(2);
    const other = { target: machine(0, "nobody-here"), attemptNo: 1, isIdempotent: true };
    const error = await errorOf(pool.run(other, (one) => one.exec("true")));
    expect(error).toMatchObject({ fault: "auth-failed" });
  });

  it("3: a connection that is unused for its time expires", async () => {
    const pool = bed.pool({ idleMs: 200 });
    await pool.run(wish(), (one) => one.exec("true"));
    await waitUntil("it is closed", () => bed.ground.counts.live === 0);
    expect(pool.stats()).toMatchObject({ open: 0, counts: { idle_closes: 1 } });
    await pool.run(wish(), (one) => one.exec("true"));
    expect(handshakes()).toBe(2);
  });

  it("4: a poisoned connection is given to nobody", async () => {
    const pool = bed.pool();
    await pool.run(wish(), (one) => one.exec("true"));
    pool.poison(machine());
    await pool.run(wish(), (one) => one.exec("true"));
    expect(handshakes()).toBe(2);
  });

  it("5: 32 callers at once are one set-up", async () => {
    const pool = bed.pool();
    const calls = Array.from({ length: 32 }, () =>
      pool.run(wish(), (one) => one.files.list(bed.at(""))),
    );
    expect((await Promise.allSettled(calls)).every(({ status }) => status === "fulfilled")).toBe(
      true,
    );
    expect([handshakes(), bed.ground.counts.grants]).toEqual([1, 1]);
  });

  it("6: a time of 0 makes one connection per operation", async () => {
    const pool = bed.pool({ idleMs: 0 });
    await pool.run(wish(), (one) => one.exec("true"));
    await pool.run(wish(), (one) => one.exec("true"));
    await waitUntil("none is open", () => bed.ground.counts.live === 0);
    expect(handshakes()).toBe(2);
    expect(pool.stats().open).toBe(0);
  });

  it("7: at the cap the one that is unused for the longest time gives way", async () => {
    const pool = bed.pool({ maxPerEndpoint: 2 });
    const use = (index: number) => pool.run(wish(index), (one) => one.exec("true"));
    for (const index of [0, 1, 0, 2]) await use(index);
    expect(bed.ground.counts.maxLive).toBe(2);
    await use(0);
    expect(handshakes()).toBe(3);
    await use(1);
    expect(handshakes()).toBe(4);
    expect(pool.stats().counts.evictions).toBe(2);
  });

  it("8: faults are told apart by what they are, and an answer of the machine keeps the connection", async () => {
    const pool = bed.pool();
    const missing = pool.run(wish(), (one) => one.files.read(bed.at("missing"), 10));
    expect(await errorOf(missing)).toBeInstanceOf(FileError);
    // The words of a broken connection, in the output of a command that is well.
    const words = 'echo "connection refused: broken pipe: kex_exchange" >&2; exit 3';
    const failing = await errorOf(pool.run(wish(), (one) => one.exec(words)));
    expect(failing).toMatchObject({ exitCode: 3, signal: null });
    expect(failing).toBeInstanceOf(ExecError);
    const port = await errorOf(pool.run(wish(), (one) => one.openPort("127.0.0.1", 1)));
    expect(port).toBeInstanceOf(ChannelLimitError);
    await pool.run(wish(), (one) => one.exec("true"));
    expect(handshakes()).toBe(1);
  });

  it("9: a connection in use is neither evicted nor expired", async () => {
    const pool = bed.pool({ maxPerEndpoint: 1, idleMs: 50, acquireTimeoutMs: 30_000 });
    const lease = await pool.acquire(wish(0));
    const other = pool.run(wish(1), (one) => one.exec("echo next"));
    await waitUntil("it waits for a place", () => pool.stats().connecting === 1);
    for (const _ of [1, 2, 3]) {
      expect(String(await lease.connection.exec("sleep 0.1; echo here"))).toBe("here\n");
    }
    lease.release();
    expect(String(await other)).toBe("next\n");
    expect(bed.ground.counts.maxLive).toBe(1);
  });

  it("10: a throw that nobody expected poisons and releases", async () => {
    const pool = bed.pool();
    const surprise = new RangeError("nobody expected this");
    const failed = pool.run(wish(), () => Promise.reject(surprise));
    expect(await errorOf(failed)).toBe(surprise);
    await waitUntil("its connection is closed", () => bed.ground.counts.live === 0);
    await pool.run(wish(), (one) => one.exec("true"));
    expect(handshakes()).toBe(2);
  });
});
