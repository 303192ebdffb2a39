import type { FileRoot } from "@molecule/domain/sets";
import { hasSshd } from "@molecule/testing/cloud/sshd";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { errorOf, machine } from "./light-bed.fixture.ts";
import { createMachineShell } from "./machine-shell.ts";
import { createRemoteFiles } from "./remote-files.ts";
import { openTcp } from "./tcp-carrier.ts";
import { startTunnelBed, type TunnelBed } from "./tunnel-bed.fixture.ts";

let bed: TunnelBed;
let attemptNo = 1;
const text = (content: string) => new TextEncoder().encode(content);

function files() {
  const pool = bed.pool();
  const place = () => ({
    target: machine(),
    attemptNo,
    folderOf: (root: FileRoot) => bed.at(`live${root}`),
  });
  return createRemoteFiles(pool, (id) => Promise.resolve(id === "stopped" ? null : place()));
}

describe.skipIf(!hasSshd())("live files of a machine", () => {
  beforeAll(async () => {
    bed = await startTunnelBed();
  });
  beforeEach(async () => {
    attemptNo = 1;
    await bed.reset();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  it("are written, listed in depth, read and removed", async () => {
    const live = files();
    const names = ["a.txt", "deep/b.txt", "deep/er/c.txt", ".git/config", "node_modules/x.js"];
    for (const path of names) await live.write("w", "/workspace", { path, content: text(path) });
    const list = async (path: string, depth: number) => {
      const { entries, truncated } = await live.list("w", { root: "/workspace", path, depth });
      expect(truncated).toBe(false);
      return entries.map((entry) => `${entry.path}${entry.dir ? "/" : `:${entry.size}`}`);
    };
    expect(await list("", 1)).toEqual(["a.txt:5", "deep/"]);
    expect(await list("", 3)).toEqual([
      "a.txt:5",
      "deep/",
      "deep/b.txt:10",
      "deep/er/",
      "deep/er/c.txt:13",
    ]);
    expect(await list("deep", 1)).toEqual(["b.txt:10", "er/"]);
    expect(String(Buffer.from(await live.read("w", "/workspace", "deep/b.txt")))).toBe(
      "deep/b.txt",
    );
    await live.remove("w", "/workspace", "deep/b.txt");
    const gone = await errorOf(live.read("w", "/workspace", "deep/b.txt"));
    expect(gone).toMatchObject({ code: "not_found" });
    expect(bed.ground.counts.opened).toBe(1);
  });

  it("fail with sentences: no machine, a folder, the machine that cannot be reached", async () => {
    const live = files();
    const read = (id: string, path: string) => errorOf(live.read(id, "/workspace", path));
    expect(await read("stopped", "x")).toMatchObject({ code: "not_found" });
    await live.write("w", "/workspace", { path: "folder/x", content: text("x") });
    expect(await read("w", "folder")).toMatchObject({ code: "bad_request" });
    const closed = files();
    bed.ground.machineListens = false;
    expect(await errorOf(closed.read("w", "/workspace", "x"))).toMatchObject({
      code: "workspace_unreachable",
      details: { fault: "target-unreachable" },
    });
  });

  it("TU16 of a superseded attempt are refused", async () => {
    const live = files();
    attemptNo = 2;
    await live.write("w", "/workspace", { path: "x", content: text("x") });
    attemptNo = 1;
    const late = live.write("w", "/workspace", { path: "x", content: text("late") });
    expect(await errorOf(late)).toMatchObject({ code: "superseded" });
  });
});

describe.skipIf(!hasSshd())("a command of the platform on a machine", () => {
  beforeAll(async () => {
    bed = await startTunnelBed();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  it("has its input, its output and its code, through the endpoint or straight", async () => {
    const straight = {
      way: "private" as const,
      openPrivate: (_ip: string, signal: AbortSignal) =>
        openTcp({ host: "127.0.0.1", port: bed.ground.sshd.port }, signal),
    };
    for (const dialer of [{}, straight]) {
      const shell = createMachineShell(bed.pool({}, { dialer }), () => machine());
      const command = { stdin: text("in"), timeoutMs: 20_000 };
      const ran = await shell.run(
        { id: machine().instanceId },
        { ...command, command: "cat; echo oops >&2; exit 4" },
      );
      expect({ ...ran, stdout: String(ran.stdout) }).toMatchObject({
        code: 4,
        stdout: "in",
        stderr: "oops\n",
      });
      shell.forget(machine().instanceId);
      await shell.close();
    }
    expect(bed.ground.counts.opened).toBe(1);
  });
});
