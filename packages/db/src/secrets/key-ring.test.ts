import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCipher } from "./cipher.ts";
import { writeKeyFile } from "./key-file.ts";
import { keyRingText, loadCipher, loadTokenKey, parseKeyRing, tokenKeyOf } from "./key-ring.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "keys-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

const [older, newer] = [randomBytes(32), randomBytes(32)];
const place = { scope: "global", key: "K" };
const stored = (record: Uint8Array) => ({ record, encryptionVersion: 2 });
const base64 = (key: Buffer) => key.toString("base64");

describe("a ring of keys", () => {
  it("reads one key as base64, base64url or 32 raw characters", () => {
    expect(parseKeyRing(base64(older))).toEqual([older]);
    expect(parseKeyRing(`${older.toString("base64url")}\n`)).toEqual([older]);
    const raw = "0123456789 bcdef,123456789abcde!";
    expect(parseKeyRing(raw)).toEqual([Buffer.from(raw)]);
  });

  it("reads several with lines, commas or spaces between them, the first one first", () => {
    const [a, b] = [base64(newer), base64(older)];
    for (const text of [`${a}\n${b}\n`, `${a},${b}`, ` ${a} , ${b} `]) {
      expect(parseKeyRing(text)).toEqual([newer, older]);
    }
    expect(parseKeyRing(keyRingText([newer, older]))).toEqual([newer, older]);
  });

  it("refuses anything else and repeats none of it", () => {
    for (const bad of ["", "short-canary", base64(randomBytes(31)), `${base64(older)},short`]) {
      expect(() => parseKeyRing(bad)).toThrow(
        "The key for secrets must be 32 raw bytes or base64 of 32 bytes.",
      );
    }
  });
});

describe("a process that runs", () => {
  it("seals with the key of the file as it is then, and opens what a newer key has sealed", () => {
    const keyFile = path.join(folder, "secrets.key");
    writeFileSync(keyFile, keyRingText([older]));
    const cipher = loadCipher({ keyFile });
    const reader = loadCipher({ keyFile });
    const before = cipher.encrypt(place, "before");
    writeKeyFile(keyFile, keyRingText([newer, older]));
    const after = cipher.encrypt(place, "after");
    expect(createCipher(newer).decrypt(place, stored(after))).toBe("after");
    expect(reader.decrypt(place, stored(after))).toBe("after");
    writeKeyFile(keyFile, keyRingText([newer]));
    expect(cipher.encrypt(place, "last")).not.toEqual(after);
    // Read from the database before its row was sealed anew, opened after the old key has gone.
    expect(cipher.decrypt(place, stored(before))).toBe("before");
    expect(loadCipher({ keyFile }).decrypt(place, stored(before))).toBeNull();
  });

  it("goes on with the keys it has while the file cannot be read, and is refused at its start", () => {
    const keyFile = path.join(folder, "broken.key");
    writeFileSync(keyFile, keyRingText([older]));
    const cipher = loadCipher({ keyFile });
    writeFileSync(keyFile, "half a k");
    expect(cipher.decrypt(place, stored(cipher.encrypt(place, "value")))).toBe("value");
    expect(() => loadCipher({ keyFile })).toThrow(/32/);
    rmSync(keyFile);
    expect(cipher.decrypt(place, stored(cipher.encrypt(place, "value")))).toBe("value");
  });

  it("takes the environment's keys and no file when they are given", () => {
    const cipher = loadCipher({ key: `${base64(newer)},${base64(older)}`, keyFile: "/absent" });
    expect(cipher.decrypt(place, stored(createCipher(older).encrypt(place, "v")))).toBe("v");
  });
});

it("the key of tokens follows from the master key until it has a file of its own", () => {
  const keyFile = path.join(folder, "master.key");
  const tokenKeyFile = path.join(folder, "token.key");
  writeKeyFile(keyFile, keyRingText([older]));
  expect(loadTokenKey({ keyFile }, tokenKeyFile)).toEqual(tokenKeyOf(older));
  writeKeyFile(tokenKeyFile, keyRingText([tokenKeyOf(older)]));
  writeKeyFile(keyFile, keyRingText([newer]));
  expect(loadTokenKey({ keyFile }, tokenKeyFile)).toEqual(tokenKeyOf(older));
  expect(statSync(tokenKeyFile).mode & 0o777).toBe(0o600);
  expect(readFileSync(tokenKeyFile, "utf8")).not.toContain(base64(older));
});
