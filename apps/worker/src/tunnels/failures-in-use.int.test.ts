import { hasSshd } from "@molecule/testing/cloud/sshd";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { errorOf, machine, wish } from "./light-bed.fixture.ts";
import { startTunnelBed, type TestPool, type TunnelBed } from "./tunnel-bed.fixture.ts";

let bed: TunnelBed;

/** An operation that is cut in the middle by `cut`; its connection is new. */
async function cutIn(pool: TestPool, cut: () => unknown): Promise<unknown> {
  await pool.run(wish(), (one) => one.exec("true"));
  const work = errorOf(pool.run(wish(0, false), (one) => one.exec("sleep 20")));
  await pool.run(wish(), (one) => one.exec("true"));
  await cut();
  return await work;
}

/** Rows of the failure matrix that meet a connection in use. */
describe.skipIf(!hasSshd())("a connection in use", () => {
  beforeAll(async () => {
    bed = await startTunnelBed();
  });
  beforeEach(() => bed.reset());
  afterAll(() => bed[Symbol.asyncDispose]());

  it("sshd killed: the operation ends, the next one has a connection", async () => {
    const pool = bed.pool();
    const error = await cutIn(pool, () => bed.ground.sshd.killSessions());
    expect(error).toMatchObject({ fault: "ws-closed", isRetryable: true });
    expect(String(await pool.run(wish(), (one) => one.exec("echo on")))).toBe("on\n");
  });

  it.each([1000, 1001])("websocket closed with %d", async (closeCode) => {
    const error = await cutIn(bed.pool(), () => bed.ground.endpoint.closeAll(closeCode));
    expect(error).toMatchObject({ fault: "ws-closed", facts: { closeCode } });
  });

  it("TCP cut", async () => {
    const error = await cutIn(bed.pool(), () => bed.ground.endpoint.cutAll());
    expect(error).toMatchObject({ fault: "ws-closed", facts: { closeCode: 1006 } });
  });

  it("longest duration reached", async () => {
    const pool = bed.pool({ maxTunnelSeconds: 1 });
    const error = await errorOf(pool.run(wish(0, false), (one) => one.exec("sleep 20")));
    expect(error).toMatchObject({ fault: "ws-closed", facts: { closeCode: 1000 } });
  });

  it("half-open: noticed by the keepalive, busy or idle", async () => {
    const pool = bed.pool({ keepaliveMs: 200, keepaliveMisses: 2 });
    const error = await cutIn(pool, () => {
      bed.ground.control.isBlackHole = true;
    });
    expect(error).toMatchObject({ fault: "keepalive-timeout", isRetryable: true });
    expect(pool.stats().open).toBe(0);
  });

  it("TU8 an idempotent operation that is cut is done again, once, and nobody sees it", async () => {
    const pool = bed.pool();
    await pool.run(wish(), (one) => one.exec("true"));
    const work = pool.run(wish(), (one, replays) =>
      one.exec(replays === 0 ? "sleep 20" : "echo again"),
    );
    await pool.run(wish(), (one) => one.exec("true"));
    bed.ground.endpoint.closeAll(1001);
    expect(String(await work)).toBe("again\n");
    expect(pool.stats().counts).toMatchObject({ replays: 1, handshakes: 2 });
  });

  it("TU10 slow is not dead: the operation ends at its time, the connection lives", async () => {
    const pool = bed.pool({ opTimeoutMs: 300 });
    const error = await errorOf(pool.run(wish(), (one) => one.exec("sleep 2")));
    expect(error).toMatchObject({ kind: "timeout" });
    expect(String(await pool.run(wish(), (one) => one.exec("echo alive")))).toBe("alive\n");
    expect(bed.ground.counts.opened).toBe(1);
  });

  it("TU10 a file that never answers holds up its channel, not the connection", async () => {
    const pool = bed.pool({ opTimeoutMs: 300 });
    const pipe = bed.at("pipe");
    await pool.run(wish(), (one) => one.exec("mkfifo pipe"));
    const error = await errorOf(pool.run(wish(), (one) => one.files.read(pipe, 10)));
    expect(error).toMatchObject({ kind: "timeout" });
    const read = () => pool.run(wish(), (one) => one.files.list(bed.at("")));
    await waitUntil("files answer again", () => read().catch(() => null), { timeoutMs: 20_000 });
    expect(bed.ground.counts.opened).toBe(1);
    await pool.run(wish(), (one) => one.exec("rm -f pipe"));
  });

  it("a command that fails or is killed says so, and keeps the connection", async () => {
    const pool = bed.pool();
    const failed = await errorOf(pool.run(wish(), (one) => one.exec("exit 3")));
    expect(failed).toMatchObject({ kind: "exec", exitCode: 3 });
    const killed = await errorOf(pool.run(wish(), (one) => one.exec("kill -9 $$")));
    expect(killed).toMatchObject({ kind: "exec", exitCode: null, signal: "KILL" });
    expect(bed.ground.counts.opened).toBe(1);
  });

  it("more channels than a machine opens: 60 commands at once all end well", async () => {
    const pool = bed.pool();
    await using shell = await pool.acquire(wish());
    const terminal = await shell.connection.openShell({ cols: 80, rows: 24 });
    const calls = Array.from({ length: 60 }, (_, index) =>
      pool.run(wish(), (one) => one.exec(`echo ${index}`)),
    );
    const outputs = (await Promise.all(calls)).map((output) => Number(String(output)));
    expect(outputs).toEqual(Array.from({ length: 60 }, (_, index) => index));
    expect(bed.ground.counts.opened).toBe(1);
    terminal.stream.destroy();
  });

  it("a terminal, a port and files share one connection; the terminal takes a new size", async () => {
    const pool = bed.pool();
    await using lease = await pool.acquire(wish());
    const { connection } = lease;
    const shell = await connection.openShell({ cols: 80, rows: 24 });
    let seen = "";
    shell.stream.on("data", (data: Buffer) => {
      seen += data.toString();
    });
    shell.resize({ cols: 132, rows: 43 });
    shell.stream.write("stty size\n");
    await waitUntil("the new size is seen", () => seen.includes("43 132"));
    const port = await connection.openPort("127.0.0.1", bed.ground.sshd.port);
    const banner = await new Promise<string>((resolve) =>
      port.once("data", (data: Buffer) => resolve(data.toString())),
    );
    expect(banner).toMatch(/^SSH-2.0-OpenSSH/);
    port.destroy();
    shell.stream.write("exit 7\n");
    expect(await shell.exit).toBe(7);
    expect(bed.ground.counts.opened).toBe(1);
  });

  it("TU16 a lease hears that a newer attempt has the machine", async () => {
    const pool = bed.pool();
    await using lease = await pool.acquire(wish());
    pool.supersede(`1/us-east-2/${machine().instanceId}`, 2);
    expect(lease.signal.reason).toMatchObject({ code: "superseded" });
  });
});
