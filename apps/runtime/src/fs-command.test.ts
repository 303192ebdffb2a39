import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { MAX_FILE_BYTES, MAX_LISTED, SafeFiles } from "@molecule/runtime-sdk/files/safe-files";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { answerFsRequest } from "./fs-command.ts";

describe("files of one folder", () => {
  let outer: string;
  let root: string;
  let files: SafeFiles;
  beforeEach(async () => {
    outer = await mkdtemp(path.join(tmpdir(), "molecule-files-"));
    root = path.join(outer, "root");
    await mkdir(root);
    await writeFile(path.join(outer, "outside.txt"), "outside");
    files = new SafeFiles(root);
  });
  afterEach(() => rm(outer, { recursive: true, force: true }));

  it("writes with parents, reads back, and keeps the mode of what it replaces", async () => {
    await files.write("a/b/run.sh", Buffer.from("one"));
    await chmod(path.join(root, "a/b/run.sh"), 0o755);
    await files.write("a/b/run.sh", Buffer.from("two"));
    expect((await files.read("a/b/run.sh")).toString()).toBe("two");
    expect((await stat(path.join(root, "a/b/run.sh"))).mode & 0o777).toBe(0o755);
    expect((await files.list("", 5)).entries.map((entry) => entry.path)).toEqual([
      "a",
      "a/b",
      "a/b/run.sh",
    ]);
  });

  it("lists to the depth asked for and hides what nobody wants to see", async () => {
    for (const name of [".git", "node_modules", "__pycache__", "src"]) {
      await mkdir(path.join(root, name));
      await writeFile(path.join(root, name, "x"), "1");
    }
    await writeFile(path.join(root, ".DS_Store"), "");
    expect(await files.list("", 1)).toEqual({
      entries: [{ path: "src", size: 0, dir: true }],
      truncated: false,
    });
    expect((await files.list("src", 1)).entries).toEqual([{ path: "x", size: 1, dir: false }]);
  });

  it("stops a listing at its limit and says so", async () => {
    for (let n = 0; n <= MAX_LISTED; n += 1) await writeFile(path.join(root, `f${n}`), "");
    const listing = await files.list("", 1);
    expect(listing.entries).toHaveLength(MAX_LISTED);
    expect(listing.truncated).toBe(true);
  });

  it.each([
    "../outside.txt",
    "/etc/passwd",
    "a/../../outside.txt",
    "",
    ".",
    "a//b",
    "a\\b",
    "a\0b",
  ])("refuses the path %j", async (wanted) => {
    await expect(files.read(wanted)).rejects.toMatchObject({ code: "bad_request" });
    await expect(files.write(wanted, Buffer.from("x"))).rejects.toMatchObject({
      code: "bad_request",
    });
    await expect(files.remove(wanted)).rejects.toMatchObject({ code: "bad_request" });
  });

  it("never reads or writes through a link, as the last part or on the way", async () => {
    await symlink(path.join(outer, "outside.txt"), path.join(root, "link"));
    await symlink(outer, path.join(root, "folder"));
    await expect(files.read("link")).rejects.toMatchObject({ code: "forbidden" });
    await expect(files.read("folder/outside.txt")).rejects.toThrow();
    await expect(files.list("folder", 1)).rejects.toThrow();
    await expect(files.write("link", Buffer.from("x"))).rejects.toThrow();
    await expect(files.write("folder/new.txt", Buffer.from("x"))).rejects.toThrow();
    await expect(files.remove("folder/outside.txt")).rejects.toThrow();
    expect(await readFile(path.join(outer, "outside.txt"), "utf8")).toBe("outside");
    await files.remove("link");
    expect(await readFile(path.join(outer, "outside.txt"), "utf8")).toBe("outside");
  });

  it("removes files and empty folders, and refuses a full one", async () => {
    await files.write("a/b", Buffer.from("x"));
    await expect(files.remove("a")).rejects.toMatchObject({ code: "conflict" });
    await files.remove("a/b");
    await files.remove("a");
    await expect(files.remove("a")).rejects.toMatchObject({ code: "not_found" });
  });

  it("refuses more than 25 MB, both ways", async () => {
    const big = Buffer.alloc(MAX_FILE_BYTES + 1);
    await expect(files.write("big", big)).rejects.toMatchObject({ code: "payload_too_large" });
    await writeFile(path.join(root, "big"), big);
    await expect(files.read("big")).rejects.toMatchObject({ code: "payload_too_large" });
  });

  it("answers one request of the fs command with data or a closed code", async () => {
    const ask = (request: unknown) => answerFsRequest(JSON.stringify(request));
    const content = Buffer.from("hello").toString("base64");
    expect(await ask({ op: "write", root, path: "n.md", content })).toEqual({ ok: true, size: 5 });
    expect(await ask({ op: "read", root, path: "n.md" })).toEqual({ ok: true, content, size: 5 });
    expect(await ask({ op: "list", root })).toMatchObject({ ok: true, truncated: false });
    expect(await ask({ op: "remove", root, path: "n.md" })).toEqual({ ok: true });
    expect(await ask({ op: "read", root, path: "n.md" })).toMatchObject({ code: "not_found" });
    expect(await ask({ op: "read", root: "rel", path: "x" })).toMatchObject({
      code: "bad_request",
    });
    expect(await ask({ op: "list", root, depth: 6 })).toMatchObject({ code: "bad_request" });
    expect(await ask({ op: "format", root })).toMatchObject({ code: "bad_request" });
    expect(await answerFsRequest("{")).toMatchObject({ ok: false, code: "bad_request" });
  });
});
