import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createCipher, recordPrefix } from "./cipher.ts";

const key = randomBytes(32);
const cipher = createCipher(key);
const place = { scope: "11111111-1111-4111-8111-111111111111", key: "OPENAI_API_KEY" };
const stored = (record: Uint8Array, encryptionVersion = 2) => ({ record, encryptionVersion });

describe("the secret cipher", () => {
  it("returns the value at the place it was written for", () => {
    const record = cipher.encrypt(place, "sk-ünïcode-1");
    expect(cipher.decrypt(place, stored(record))).toBe("sk-ünïcode-1");
    expect(Buffer.from(record).includes("sk-")).toBe(false);
  });

  it("keeps an empty value apart from an unreadable one", () => {
    expect(cipher.decrypt(place, stored(cipher.encrypt(place, "")))).toBe("");
  });

  it("refuses a record that was moved to another workspace, name or to the organisation", () => {
    const record = cipher.encrypt(place, "value");
    const elsewhere = [
      { ...place, scope: "22222222-2222-4222-8222-222222222222" },
      { ...place, key: "ANTHROPIC_API_KEY" },
      { ...place, scope: "global" },
    ];
    for (const other of elsewhere) expect(cipher.decrypt(other, stored(record))).toBeNull();
  });

  it("refuses a record in which any single bit was flipped", () => {
    const record = Buffer.from(cipher.encrypt(place, "value"));
    for (let bit = 0; bit < record.length * 8; bit += 1) {
      const flipped = Buffer.from(record);
      const index = Math.floor(bit / 8);
      flipped[index] = (flipped[index] ?? 0) ^ (1 << (bit % 8));
      expect(cipher.decrypt(place, stored(flipped))).toBeNull();
    }
  });

  it("refuses every truncation and another key", () => {
    const record = cipher.encrypt(place, "value");
    for (let length = 0; length < record.length; length += 1) {
      expect(cipher.decrypt(place, stored(record.subarray(0, length)))).toBeNull();
    }
    expect(createCipher(randomBytes(32)).decrypt(place, stored(record))).toBeNull();
  });

  it("gives no value and no error for an unknown version", () => {
    expect(cipher.decrypt(place, stored(cipher.encrypt(place, "value"), 99))).toBeNull();
  });

  it("never uses a nonce twice", () => {
    const nonces = new Set<string>();
    for (let i = 0; i < 20_000; i += 1) {
      nonces.add(Buffer.from(cipher.encrypt(place, "").subarray(9, 21)).toString("hex"));
    }
    expect(nonces.size).toBe(20_000);
  });

  it("opens what any key of its ring has sealed, and seals with the first", () => {
    const newer = randomBytes(32);
    const both = createCipher(newer, key);
    expect(both.decrypt(place, stored(cipher.encrypt(place, "old")))).toBe("old");
    const record = both.encrypt(place, "new");
    expect(createCipher(newer).decrypt(place, stored(record))).toBe("new");
    expect(cipher.decrypt(place, stored(record))).toBeNull();
    expect(Buffer.from(record.subarray(0, 9)).equals(recordPrefix(newer))).toBe(true);
  });

  it("SE7 seals each workspace's under a key of its own, and the master key alone opens none", () => {
    const opens = (record: Uint8Array, by: Uint8Array) => {
      const at = Buffer.from(record);
      const decipher = createDecipheriv("aes-256-gcm", by, at.subarray(9, 21));
      decipher.setAAD(Buffer.from(`${place.scope}|${place.key}|2`));
      decipher.setAuthTag(at.subarray(21, 37));
      decipher.update(at.subarray(37));
      try {
        decipher.final();
        return true;
      } catch {
        return false;
      }
    };
    const keyOf = (scope: string) =>
      new Uint8Array(hkdfSync("sha256", key, "", `molecule-data-key|${scope}`, 32));
    const record = cipher.encrypt(place, "value");
    expect(opens(record, keyOf(place.scope))).toBe(true);
    expect(opens(record, keyOf("global"))).toBe(false);
    expect(opens(record, key)).toBe(false);
  });

  it("SE7 opens what the master key itself sealed, as it once did, and seals so no more", () => {
    const nonce = randomBytes(12);
    const direct = createCipheriv("aes-256-gcm", key, nonce);
    direct.setAAD(Buffer.from(`${place.scope}|${place.key}|2`));
    const text = Buffer.concat([direct.update("earlier"), direct.final()]);
    const kid = createHmac("sha256", key).update("molecule-key-id").digest().subarray(0, 8);
    const record = Buffer.concat([Buffer.of(2), kid, nonce, direct.getAuthTag(), text]);
    expect(cipher.decrypt(place, stored(record))).toBe("earlier");
    expect(cipher.decrypt({ ...place, scope: "global" }, stored(record))).toBeNull();
    expect(Buffer.from(cipher.encrypt(place, "x")).subarray(1, 9).equals(kid)).toBe(false);
  });

  it("opens an imported record, which names no key, with whichever of them sealed it", () => {
    const nonce = randomBytes(12);
    const old = createCipheriv("aes-256-gcm", key, nonce);
    const record = Buffer.concat([nonce, old.update("imported"), old.final(), old.getAuthTag()]);
    expect(createCipher(randomBytes(32), key).decrypt(place, stored(record, 1))).toBe("imported");
    expect(createCipher(randomBytes(32)).decrypt(place, stored(record, 1))).toBeNull();
  });
});
