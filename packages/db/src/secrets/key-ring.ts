import { createHmac, timingSafeEqual } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { DomainError } from "@molecule/domain/errors";
import { createCipher, type KeyRing, type SecretCipher } from "./cipher.ts";

const KEY_BYTES = 32;

/** Where the master keys come from; `key` wins over `keyFile`. */
export interface MasterKeySource {
  /** The value of `SECRETS_ENCRYPTION_KEY`; absent or empty means the file. */
  readonly key?: string | undefined;
  /** The launcher's `secrets.key`. */
  readonly keyFile: string;
}

/**
 * The keys in `text`: one alone, or several with spaces, commas or lines between them, the one that
 * seals first. Each is raw (32 bytes of UTF-8), or base64 or base64url of 32 bytes.
 * @throws DomainError `bad_request` that names neither the text nor its length.
 */
export function parseKeyRing(text: string): KeyRing {
  // A raw key may hold a comma or a space, so the whole text comes first.
  const only = keyIn(text);
  if (only !== null) return [only];
  const [first, ...rest] = text.split(/[\s,]+/).filter((part) => part !== "");
  return [keyOf(first ?? ""), ...rest.map(keyOf)];
}

function keyIn(text: string): Uint8Array | null {
  const trimmed = text.trim();
  const decoded = Buffer.from(trimmed, "base64");
  if (decoded.length === KEY_BYTES && /^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed)) return decoded;
  const raw = Buffer.from(text, "utf8");
  return raw.length === KEY_BYTES ? raw : null;
}

function keyOf(text: string): Uint8Array {
  const key = keyIn(text);
  if (key !== null) return key;
  throw new DomainError(
    "bad_request",
    "The key for secrets must be 32 raw bytes or base64 of 32 bytes.",
    {
      next: "Set SECRETS_ENCRYPTION_KEY to the output of `openssl rand -base64 32`, or unset it.",
    },
  );
}

/** A ring as `secrets.key` holds it: a key a line, base64, the one that seals first. */
export function keyRingText(ring: KeyRing): string {
  return ring.map((key) => `${Buffer.from(key).toString("base64")}\n`).join("");
}

/** The keys of this installation as they are now. @throws when neither source has a usable one. */
export function readKeyRing({ key, keyFile }: MasterKeySource): KeyRing {
  const isGiven = key !== undefined && key !== "";
  return parseKeyRing(isGiven ? key : readFileSync(keyFile, "utf8"));
}

/**
 * The cipher of this installation. Keys in the file are followed while this process runs, so that a
 * rotation needs no restart. @throws when neither source has a usable key.
 */
export function loadCipher(source: MasterKeySource): SecretCipher {
  const isGiven = source.key !== undefined && source.key !== "";
  return isGiven ? createCipher(...readKeyRing(source)) : followKeyFile(source.keyFile);
}

/**
 * Seals with the first key of the file as it is at that moment, and looks into the file again before it
 * gives up on a record. A key that has left the file still opens here: what a request has read a moment
 * ago may be sealed with it.
 */
function followKeyFile(file: string): SecretCipher {
  let stamp = stampOf(file);
  let ring = readKeyRing({ keyFile: file });
  let cipher = createCipher(...ring);
  const follow = (): boolean => {
    const now = stampOf(file);
    if (now === null || now === stamp) return false;
    let found: KeyRing;
    try {
      found = readKeyRing({ keyFile: file });
    } catch {
      // Somebody is at the file by hand: what is known goes on until it can be read.
      return false;
    }
    const [first, ...others] = found;
    const left = ring.filter((old) => !found.some((key) => timingSafeEqual(key, old)));
    ring = [first, ...others, ...left];
    cipher = createCipher(...ring);
    stamp = now;
    return true;
  };
  return {
    encrypt: (place, value) => {
      follow();
      return cipher.encrypt(place, value);
    },
    decrypt: (place, stored) => {
      const value = cipher.decrypt(place, stored);
      return value === null && follow() ? cipher.decrypt(place, stored) : value;
    },
  };
}

/** Differs whenever another file was put in place; null while there is none. */
function stampOf(file: string): string | null {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? null : `${found.ino}:${found.mtimeNs}:${found.size}`;
}

/** The key that tokens are derived from, as long as no rotation has set it apart. */
export function tokenKeyOf(masterKey: Uint8Array): Uint8Array {
  return createHmac("sha256", masterKey).update("molecule-token-key").digest();
}

/**
 * The key that tokens of attempts are derived from: that of `tokenKeyFile`, which a rotation leaves
 * behind so that no token changes with the master key, else one that follows from the master key.
 * @throws when there is no usable key.
 */
export function loadTokenKey(source: MasterKeySource, tokenKeyFile: string): Uint8Array {
  if (existsSync(tokenKeyFile)) return parseKeyRing(readFileSync(tokenKeyFile, "utf8"))[0];
  return tokenKeyOf(readKeyRing(source)[0]);
}
