import { Readable } from "node:stream";
import { extract, pack } from "tar-stream";
import { describe, expect, it } from "vitest";
import { packFiles, readManagedFiles } from "./archive.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function headersOf(archive: Buffer): Promise<{ name: string; mode: number; uid: number }[]> {
  const headers: { name: string; mode: number; uid: number }[] = [];
  const reader = extract();
  reader.on("entry", ({ name, mode, uid }, body, next) => {
    headers.push({ name, mode, uid });
    body.on("end", () => next());
    body.resume();
  });
  const ended = new Promise((resolve) => reader.on("finish", () => resolve(undefined)));
  reader.end(archive);
  await ended;
  return headers;
}

type Entry = Parameters<ReturnType<typeof pack>["entry"]>[0];
function archiveOf(entries: readonly (readonly [Entry, string])[]): Readable {
  const archive = pack();
  for (const [header, content] of entries) archive.entry(header, content);
  archive.finalize();
  return Readable.from(archive);
}

describe("the archive of a snapshot", () => {
  it("belongs to the agent, folders included, and keeps modes", async () => {
    const archive = await packFiles([
      { path: "skills/a/one.md", content: bytes("1"), mode: 0o644 },
      { path: ".auth_token", content: bytes("t"), mode: 0o600 },
    ]);
    expect(await headersOf(archive)).toEqual([
      { name: "skills/", mode: 0o755, uid: 1000 },
      { name: "skills/a/", mode: 0o755, uid: 1000 },
      { name: "skills/a/one.md", mode: 0o644, uid: 1000 },
      { name: ".auth_token", mode: 0o600, uid: 1000 },
    ]);
  });

  it("is the same for the same snapshot", async () => {
    const files = [{ path: "config.yaml", content: bytes("a"), mode: 0o644 }];
    expect(await packFiles(files)).toEqual(await packFiles(files));
  });
});

describe("reading a configuration archive that an agent wrote", () => {
  it("takes regular files and leaves out everything else", async () => {
    const files = await readManagedFiles(
      archiveOf([
        [{ name: "configs/", type: "directory" }, ""],
        [{ name: "configs/config.yaml" }, "name: a"],
        [{ name: "configs/skills/ü.md" }, "x"],
        [{ name: "configs/.auth_token" }, "secret"],
        [{ name: "configs/.git/config" }, "secret"],
        [{ name: "configs/link", type: "symlink", linkname: "/etc/passwd" }, ""],
        [{ name: "configs/hard", type: "link", linkname: "/etc/passwd" }, ""],
        [{ name: "configs/pipe", type: "fifo" }, ""],
        [{ name: "configs/../escape" }, "x"],
        [{ name: "configs/back\\slash" }, "x"],
        [{ name: "configs/new\nline" }, "x"],
        [{ name: "configs/huge.bin" }, "x".repeat(1_048_577)],
      ]),
    );
    expect([...files.keys()]).toEqual(["config.yaml", "skills/ü.md"]);
    expect(new TextDecoder().decode(files.get("config.yaml"))).toBe("name: a");
  });

  it("gives up on a folder with more entries than any honest one", async () => {
    const entries = Array.from(
      { length: 20_001 },
      (_, index) => [{ name: `configs/${index}` }, ""] as const,
    );
    await expect(readManagedFiles(archiveOf(entries))).rejects.toThrow("too large");
  });
});
