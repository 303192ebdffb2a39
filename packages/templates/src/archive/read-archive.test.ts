import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { type MadeEntry, makeTarGz, makeZip } from "./archive.fixture.ts";
import { collectMap } from "./collect-files.ts";
import { readArchive } from "./read-archive.ts";

const CONFIG: MadeEntry = { name: "config.yaml", content: "name: Mine\n" };
const MAKERS = [
  ["tar.gz", makeTarGz],
  ["zip", async (entries: readonly MadeEntry[]) => makeZip(entries)],
] as const;

describe.each(MAKERS)("a template's archive as %s", (_, make) => {
  const paths = async (entries: readonly MadeEntry[]) =>
    [...(await readArchive(await make(entries))).files.keys()].sort();
  const refused = async (entries: readonly MadeEntry[], code = "bad_request") =>
    await expect(readArchive(await make(entries))).rejects.toMatchObject({ code });

  it("is its files, byte for byte", async () => {
    const bytes = new Uint8Array(Array.from({ length: 256 }, (_each, index) => index));
    const archive = await make([
      CONFIG,
      { name: "skills/", type: "directory", mode: 0o040755 },
      { name: "skills/añ.bin", content: bytes, mode: 0o100644 },
    ]);
    const { files, left } = await readArchive(archive);
    expect([...files.keys()]).toEqual(["config.yaml", "skills/añ.bin"]);
    expect(files.get("skills/añ.bin")).toEqual(Buffer.from(bytes));
    expect(left).toEqual([]);
  });

  it("may be of one folder, which is left away", async () => {
    expect(
      await paths([{ ...CONFIG, name: "mine-main/config.yaml" }, { name: "mine-main/a" }]),
    ).toEqual(["a", "config.yaml"]);
    expect(await paths([{ ...CONFIG, name: "a/config.yaml" }, { name: "b/c" }])).toEqual([
      "a/config.yaml",
      "b/c",
    ]);
  });

  it("leaves out what begins with a dot, and says so", async () => {
    const { files, left } = await readArchive(
      await make([CONFIG, { name: ".env", content: "KEY=secret" }, { name: ".git/HEAD" }]),
    );
    expect([...files.keys()]).toEqual(["config.yaml"]);
    expect(left).toEqual([".env", ".git/HEAD"]);
  });

  it.each([
    "../up",
    "a/../../up",
    "/etc/passwd",
    "a//b",
    "a/./b",
    "a\nb",
    "\u0000",
    `${"x/".repeat(40)}y`,
  ])("with the name %j is refused", async (name) => {
    await refused([CONFIG, { name, content: "x" }]);
  });

  it("with a link is refused", async () => {
    await refused([CONFIG, { name: "link", type: "symlink", mode: 0o120777, content: "/etc" }]);
  });

  it("with one name twice, or a file that is also a folder, is refused", async () => {
    await refused([CONFIG, { name: "a" }, { name: "./a" }]);
    await refused([CONFIG, { name: "a" }, { name: "a/b" }]);
  });

  it("with a file, or files together, that are too large is refused", async () => {
    const half = "x".repeat(1_000_000);
    await refused([CONFIG, { name: "a", content: `${half}${half}` }], "payload_too_large");
    const many = Array.from({ length: 22 }, (_each, index) => ({
      name: `f${index}`,
      content: half,
    }));
    await refused([CONFIG, ...many], "payload_too_large");
  });

  it("with too many files, or too many entries, is refused", async () => {
    const files = Array.from({ length: 201 }, (_each, index) => ({ name: `f${index}` }));
    await refused(files, "payload_too_large");
    const dots = Array.from({ length: 2001 }, (_each, index) => ({ name: `.f${index}` }));
    await refused(dots, "payload_too_large");
  });

  it("that was broken off anywhere is refused, and so is one with a byte turned over", async () => {
    const archive = await make([CONFIG, { name: "a", content: "hello ".repeat(500) }]);
    for (let share = 1; share < 10; share += 1) {
      const part = archive.subarray(0, Math.floor((archive.length * share) / 10));
      await expect(readArchive(part)).rejects.toMatchObject({ code: "bad_request" });
    }
    for (let at = 0; at < archive.length; at += 7) {
      const bent = Buffer.from(archive);
      bent[at] = (bent[at] ?? 0) ^ 0xff;
      // A refusal with a sentence, or what the archive is without the byte; never another failure.
      const outcome = await readArchive(bent).catch((error: unknown) => error);
      expect(outcome).toHaveProperty(outcome instanceof Error ? "code" : "files");
    }
  });
});

describe("what is no honest archive", () => {
  it.each(["", "hello", "PK", "\u001f"])("%j is refused", async (text) => {
    await expect(readArchive(Buffer.from(text, "latin1"))).rejects.toMatchObject({
      code: "bad_request",
      message: expect.stringContaining(".tar.gz"),
    });
  });

  it("a few kilobytes that unpack to dozens of megabytes are refused on the way", async () => {
    const bomb = gzipSync(Buffer.alloc(60 * 1024 * 1024));
    expect(bomb.length).toBeLessThan(300_000);
    await expect(readArchive(bomb)).rejects.toMatchObject({
      code: expect.stringMatching(/bad_request|payload_too_large/),
    });
  });

  it("a zip entry that announces less than it holds, or is encrypted, is refused", async () => {
    const lying = makeZip([CONFIG, { name: "a", content: "x".repeat(5000), announced: 10 }]);
    await expect(readArchive(lying)).rejects.toMatchObject({ code: "bad_request" });
    const locked = makeZip([{ ...CONFIG, isEncrypted: true }]);
    await expect(readArchive(locked)).rejects.toMatchObject({
      message: expect.stringContaining("password"),
    });
  });

  it("a device or a hard link of a tar is refused by its name", async () => {
    for (const type of ["link", "character-device", "fifo"] as const) {
      await expect(readArchive(await makeTarGz([{ name: "odd", type }]))).rejects.toMatchObject({
        message: expect.stringContaining("“odd”"),
      });
    }
  });
});

describe("a folder that comes as a map", () => {
  it("is held to the same rules", () => {
    const { files, left } = collectMap({ "config.yaml": "name: x", ".env": "K=v", "a/b.md": "b" });
    expect([...files.keys()]).toEqual(["config.yaml", "a/b.md"]);
    expect(left).toEqual([".env"]);
    expect(() => collectMap({ "../x": "" })).toThrow("leaves its folder");
    expect(() => collectMap({ "": "" })).toThrow("no name");
    expect(() => collectMap({ a: "x".repeat(1_048_577) })).toThrow("1 MiB");
  });
});
