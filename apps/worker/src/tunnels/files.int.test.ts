import { randomBytes } from "node:crypto";
import { hasSshd } from "@molecule/testing/cloud/sshd";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { errorOf, wish } from "./light-bed.fixture.ts";
import { startTunnelBed, type TestPool, type TunnelBed } from "./tunnel-bed.fixture.ts";

let bed: TunnelBed;
let pool: TestPool;
const run = <T>(use: Parameters<typeof pool.run<T>>[1]) => pool.run<T>(wish(), use);

describe.skipIf(!hasSshd())("files over a connection", () => {
  beforeAll(async () => {
    bed = await startTunnelBed();
  });
  beforeEach(async () => {
    await bed.reset();
    pool = bed.pool();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  it("come back as they were written, byte for byte, of any size", async () => {
    for (const size of [0, 1, 32 * 1024, 32 * 1024 + 1, 200_000, 3_000_001]) {
      const content = randomBytes(size);
      const path = bed.at(`deep/er/${size}.bin`);
      await run((one) => one.files.write(path, content));
      expect((await run((one) => one.files.read(path, size)))?.equals(content), `${size}`).toBe(
        true,
      );
      if (size > 0) expect(await run((one) => one.files.read(path, size - 1))).toBeNull();
    }
    expect(bed.ground.counts.opened).toBe(1);
  });

  it("keep names that a shell would act on", async () => {
    const names = ["$(id)", "-oProxyCommand=x", "a b", "`id`", "'; rm -rf ~; '", "ünï😀", "-rf"];
    for (const name of names) {
      await run((one) => one.files.write(bed.at(`odd/${name}`), Buffer.from(name)));
    }
    const listed = await run((one) => one.files.list(bed.at("odd")));
    expect(listed.map(({ name }) => name).sort()).toEqual([...names].sort());
    for (const name of names) await run((one) => one.files.remove(bed.at(`odd/${name}`)));
    expect(await run((one) => one.files.list(bed.at("odd")))).toEqual([]);
  });

  it("are told apart from folders, and keep their mode when they are replaced", async () => {
    const path = bed.at("tool.sh");
    await run((one) => one.files.write(path, Buffer.from("one")));
    await run((one) => one.exec("chmod 750 tool.sh && mkdir -p folder && ln -sf tool.sh link"));
    await run((one) => one.files.write(path, Buffer.from("two")));
    expect(String(await run((one) => one.exec("stat -c %a tool.sh")))).toBe("750\n");
    const onFolder = await errorOf(
      run((one) => one.files.write(bed.at("folder"), Buffer.from("x"))),
    );
    expect(onFolder).toMatchObject({ fault: "not-a-file" });
    const read = await errorOf(run((one) => one.files.read(bed.at("folder"), 10)));
    expect(read).toMatchObject({ kind: "file", fault: "not-a-file" });
    // A link is replaced by the file; what it led to stays as it was.
    await run((one) => one.files.write(bed.at("link"), Buffer.from("three")));
    expect(String(await run((one) => one.files.read(path, 10)))).toBe("two");
    await run((one) => one.files.remove(bed.at("folder")));
  });

  it.each([
    ["EACCES", "/etc/shadow", "permission"],
    ["ENOENT", "/no/such/file", "not-found"],
  ])("%s is the file's, not the connection's", async (_name, path, fault) => {
    const error = await errorOf(run((one) => one.files.read(path, 1_000_000)));
    expect(error).toMatchObject({ kind: "file", fault });
    await run((one) => one.files.list(bed.at("")));
    expect(bed.ground.counts.opened).toBe(1);
  });

  it.skipIf(process.getuid?.() !== 0)(
    "a full disk leaves the old content and nothing else",
    async () => {
      const path = bed.at("small/precious");
      await run((one) => one.files.write(path, Buffer.from("precious")));
      const error = await errorOf(run((one) => one.files.write(path, Buffer.alloc(200_000, "z"))));
      expect(error).toMatchObject({ kind: "file", fault: "no-space" });
      expect(String(await run((one) => one.files.read(path, 100)))).toBe("precious");
      expect(await run((one) => one.exec("ls -A small"))).toEqual(Buffer.from("precious\n"));
    },
  );

  it("0 torn of 150 reads while a file is overwritten by another connection", async () => {
    const path = bed.at("torn");
    const versions = ["a", "b"].map((letter) => Buffer.alloc(80_000, letter));
    const [first = Buffer.alloc(0)] = versions;
    await run((one) => one.files.write(path, first));
    const other = bed.pool();
    let isOver = false;
    let writes = 0;
    const writing = (async () => {
      while (!isOver) {
        writes += 1;
        const content = versions[writes % 2] ?? first;
        await run((one) => one.files.write(path, content));
      }
    })();
    let torn = 0;
    for (let reads = 0; reads < 150; reads += 1) {
      const seen = await other.run(wish(), (one) => one.files.read(path, 100_000));
      const isWhole = versions.some((version) => seen?.equals(version));
      if (!isWhole) torn += 1;
    }
    isOver = true;
    await writing;
    expect(torn).toBe(0);
    expect(writes).toBeGreaterThan(1);
  });

  it("a write that was cut at its rename is not done twice, and leaves nothing behind", async () => {
    const path = bed.at("once");
    let runs = 0;
    const progress = { mayBeDone: false, leftovers: [] as string[] };
    await run(async (one, replays) => {
      runs += 1;
      await one.files.write(path, Buffer.from("new"), progress);
      if (replays === 0) {
        progress.mayBeDone = true;
        progress.leftovers.push(bed.at(".molecule-0123456789abcdef.tmp"));
        bed.ground.endpoint.cutAll();
        await one.exec("sleep 20");
      }
    });
    expect(runs).toBe(2);
    expect(String(await run((one) => one.files.read(path, 10)))).toBe("new");
  });

  it("1 MB after 1 MB comes in order, from any place on", async () => {
    const content = randomBytes(2_500_000);
    const path = bed.at("long.bin");
    await run((one) => one.files.write(path, content));
    const tail = await run(async (one) => {
      const { size, pieces } = await one.files.openReading(path, 1_000_001);
      const all: Buffer[] = [];
      for await (const piece of pieces) all.push(piece);
      return { size, all: Buffer.concat(all) };
    });
    expect(tail.size).toBe(content.length);
    expect(tail.all.equals(content.subarray(1_000_001))).toBe(true);
  });

  it("a folder of 500 names is listed whole", async () => {
    await run((one) => one.exec("mkdir -p many && cd many && seq 500 | xargs touch"));
    expect(await run((one) => one.files.list(bed.at("many")))).toHaveLength(500);
  });
});
