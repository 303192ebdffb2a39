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
import { ensureIdentity, prepareHome, resolveHome } from "./home.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "molecule-home-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const none = { adminToken: undefined, hasSecretsKey: false };
const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

describe("the data folder", () => {
  test("is .molecule in the checkout for an ordinary user, whatever the parents are", () => {
    expect(resolveHome({ given: undefined, root: folder, isRoot: false })).toEqual({
      folder: path.join(folder, ".molecule"),
      notice: undefined,
    });
  });

  test("is below /var/lib/molecule with one stable name, said first, when root's checkout is closed", () => {
    const first = resolveHome({ given: undefined, root: folder, isRoot: true });
    expect(first.folder).toMatch(/^\/var\/lib\/molecule\/molecule-home-test-\w+-[0-9a-f]{8}$/);
    expect(first.notice).toContain(first.folder);
    expect(first.notice).toContain(`only root can enter ${folder}`);
    expect(resolveHome({ given: "", root: folder, isRoot: true })).toEqual(first);
  });

  test("is in root's checkout when everybody can enter that", () => {
    chmodSync(folder, 0o755);
    const home = resolveHome({ given: undefined, root: folder, isRoot: true });
    expect(home).toEqual({ folder: path.join(folder, ".molecule"), notice: undefined });
  });

  test("may be a closed folder itself, but not lie in one, when root chose it", () => {
    expect(resolveHome({ given: folder, root: "/", isRoot: true }).folder).toBe(folder);
    const below = path.join(folder, "below");
    expect(() => resolveHome({ given: below, root: "/", isRoot: true })).toThrow(
      `lies below ${folder}`,
    );
  });

  test("lets other users pass as root, and nobody else otherwise", () => {
    prepareHome(folder, { isRoot: true });
    expect(modeOf(folder)).toBe("711");
    prepareHome(folder, { isRoot: false });
    expect(modeOf(path.join(folder, "run"))).toBe("700");
  });

  test("keeps the permissions of a folder that holds other things", () => {
    writeFileSync(path.join(folder, "letter.txt"), "");
    expect(() => prepareHome(folder, { isRoot: true })).toThrow("holds other files");
    expect(modeOf(folder)).toBe("700");
  });

  test("is refused with a sentence when a file is in its place", () => {
    const file = path.join(folder, "taken");
    writeFileSync(file, "");
    expect(() => prepareHome(path.join(file, "home"), { isRoot: false })).toThrow(
      "cannot be made, because a file is in its place",
    );
  });
});

describe("keys and ids", () => {
  test("are made once, for this user alone", () => {
    const first = ensureIdentity(folder, none);
    const keys = ["secrets.key", "worker.key", "admin-token", "platform-id"];
    for (const name of keys) expect(modeOf(path.join(folder, name))).toBe("600");
    const secretsKey = readFileSync(path.join(folder, "secrets.key"), "utf8").trim();
    expect(Buffer.from(secretsKey, "base64")).toHaveLength(32);
    expect(ensureIdentity(folder, none)).toEqual(first);
  });

  test("a given admin token is used and not stored", () => {
    expect(ensureIdentity(folder, { ...none, adminToken: "given" }).adminToken).toBe("given");
    expect(readFileSync(path.join(folder, "admin-token"), "utf8")).not.toContain("given");
  });

  test("no key of the secrets is made when the environment has one", () => {
    mkdirSync(path.join(folder, "home"));
    ensureIdentity(path.join(folder, "home"), { ...none, hasSecretsKey: true });
    expect(() => statSync(path.join(folder, "home", "secrets.key"))).toThrow("ENOENT");
  });
});
