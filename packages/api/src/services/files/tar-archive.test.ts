import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { type TarFile, tarOf } from "./tar-archive.ts";

const FILES: readonly TarFile[] = [
  { path: "plugin.yaml", content: Buffer.from("name: a\n") },
  { path: "empty", content: new Uint8Array() },
  { path: "skills/größe/SKILL.md", content: Buffer.from("# x".repeat(200)) },
  { path: `${"deep/".repeat(30)}a file.md`, content: Buffer.alloc(512, 7) },
];

async function* given() {
  yield* FILES;
}

it("what the system's own tar unpacks is what was packed", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "molecule-tar-"));
  try {
    const archive = path.join(folder, "a.tar");
    const bytes: Uint8Array[] = [];
    for await (const chunk of tarOf(given())) bytes.push(chunk);
    await writeFile(archive, Buffer.concat(bytes));
    await promisify(execFile)("tar", ["-xf", archive, "-C", folder]);
    for (const { path: name, content } of FILES) {
      expect(await readFile(path.join(folder, name)), name).toEqual(Buffer.from(content));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
