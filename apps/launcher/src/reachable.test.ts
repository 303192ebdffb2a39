import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makeReachable } from "./reachable.mjs";

let folder = "";
let file = "";
const cache = () => path.join(folder, "home/cache");
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "molecule-reach-"));
  chmodSync(folder, 0o755);
  mkdirSync(path.join(folder, "closed"));
  file = path.join(folder, "closed/node");
  writeFileSync(file, "program");
  chmodSync(file, 0o755);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("a program that other users run", () => {
  test("is used where it is when they can reach it", () => {
    chmodSync(path.dirname(file), 0o755);
    expect(makeReachable(file, cache())).toBe(file);
  });

  test("is copied once out of a closed folder, still runnable", () => {
    chmodSync(path.dirname(file), 0o700);
    const copy = makeReachable(file, cache());
    expect(copy.startsWith(cache())).toBe(true);
    expect(readFileSync(copy, "utf8")).toBe("program");
    expect(statSync(copy).mode & 0o777).toBe(0o755);
    expect(makeReachable(file, cache())).toBe(copy);
  });

  test("is copied when it is closed itself", () => {
    chmodSync(path.dirname(file), 0o755);
    chmodSync(file, 0o700);
    expect(makeReachable(file, cache())).not.toBe(file);
  });
});
