import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { archiveKind } from "./archive-kind.ts";

function tarHeader(name: string, size: number): Buffer {
  const block = Buffer.alloc(512);
  block.write(name, 0);
  block.write(size.toString(8).padStart(11, "0"), 124);
  return block;
}
const tarGz = (...names: string[]) =>
  gzipSync(
    Buffer.concat(
      names.flatMap((name) => [tarHeader(name, 3), Buffer.alloc(512), Buffer.alloc(0)]),
    ),
  );
/** A zip as far as its names go. */
const zip = (...names: string[]) =>
  Buffer.concat([
    Buffer.from("PK\u0003\u0004junk"),
    ...names.map((name) => {
      const entry = Buffer.alloc(46 + name.length);
      entry.writeUInt32LE(0x02014b50, 0);
      entry.writeUInt16LE(name.length, 28);
      entry.write(name, 46);
      return entry;
    }),
  ]);
const kind = (bytes: Buffer) => archiveKind(new Uint8Array(bytes));

test("an archive is a team or an agent by the names at its top", async () => {
  expect(await kind(zip("acme/", "acme/org.yaml", "acme/lead/config.yaml"))).toBe("team");
  expect(await kind(zip("config.yaml", "system-prompt.md"))).toBe("agent");
  expect(await kind(tarGz("acme/notes.md", "acme/org.yaml"))).toBe("team");
  expect(await kind(tarGz("./config.yaml"))).toBe("agent");
});

test("what is neither, and what is no archive, is unknown", async () => {
  expect(await kind(zip("deep/acme/org.yaml"))).toBe("unknown");
  expect(await kind(gzipSync("no tar"))).toBe("unknown");
  expect(await kind(Buffer.from([0x1f, 0x8b, 1, 2, 3]))).toBe("unknown");
  expect(await kind(Buffer.from("name: x"))).toBe("unknown");
});
