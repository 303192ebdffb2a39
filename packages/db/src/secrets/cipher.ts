import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";
import { readFile } from "node:fs/promises";
import { DomainError } from "@molecule/domain/errors";

/** Version of the records we write; 0 (plaintext) and 1 (nonce in front) are read for import only. */
export const ENCRYPTION_VERSION = 2;
const KEY_BYTES = 32;
const KID_BYTES = 8;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KID_BYTES + NONCE_BYTES + TAG_BYTES;

/** Scope of a secret: a workspace id, or `global` for the organisation's. */
export type SecretScope = string;

/** What is authenticated together with a value: moving a record to another row makes it unreadable. */
export interface SecretPlace {
  readonly scope: SecretScope;
  readonly key: string;
}

/** A record as it is stored. */
export interface StoredSecret {
  readonly record: Uint8Array;
  readonly encryptionVersion: number;
}

/** The value, or null when it cannot be read with the present key and must be entered again. */
export type Decrypted = string | null;

/** AES-256-GCM with one master key. Holds the key; neither it nor a value is ever printable. */
export interface SecretCipher {
  /** The record to store; a fresh nonce each time, so equal values have unequal records. */
  encrypt(place: SecretPlace, value: string): Uint8Array;
  /** Never throws: a wrong key, a moved row, a flipped bit and an unknown version all read as null. */
  decrypt(place: SecretPlace, stored: StoredSecret): Decrypted;
}

/** A cipher over 32 key bytes. Record: version, key id (8), nonce (12), tag (16), ciphertext. */
export function createCipher(masterKey: Uint8Array): SecretCipher {
  if (masterKey.length !== KEY_BYTES) throw new Error("invariant: the master key has 32 bytes");
  const key = Buffer.from(masterKey);
  const kid = createHmac("sha256", key).update("molecule-key-id").digest().subarray(0, KID_BYTES);
  return {
    encrypt: (place, value) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(additionalData(place));
      const text = Buffer.concat([cipher.update(value, "utf8"), cipher.final()]);
      return Buffer.concat([Buffer.of(ENCRYPTION_VERSION), kid, nonce, cipher.getAuthTag(), text]);
    },
    decrypt: (place, stored) => {
      const record = Buffer.from(stored.record);
      switch (stored.encryptionVersion) {
        case 0:
          return record.toString("utf8");
        case 1:
          return open(key, {
            nonce: record.subarray(0, NONCE_BYTES),
            tag: record.subarray(-TAG_BYTES),
            text: record.subarray(NONCE_BYTES, -TAG_BYTES),
            aad: null,
          });
        case ENCRYPTION_VERSION:
          return openRecord(key, kid, place, record);
        default:
          return null;
      }
    },
  };
}

function openRecord(key: Buffer, kid: Buffer, place: SecretPlace, record: Buffer): Decrypted {
  if (record.length < HEADER_BYTES || record[0] !== ENCRYPTION_VERSION) return null;
  const at = [1, 1 + KID_BYTES, 1 + KID_BYTES + NONCE_BYTES, HEADER_BYTES] as const;
  if (!timingSafeEqual(record.subarray(at[0], at[1]), kid)) return null;
  return open(key, {
    nonce: record.subarray(at[1], at[2]),
    tag: record.subarray(at[2], at[3]),
    text: record.subarray(at[3]),
    aad: additionalData(place),
  });
}

interface Sealed {
  readonly nonce: Buffer;
  readonly tag: Buffer;
  readonly text: Buffer;
  readonly aad: Buffer | null;
}

function open(key: Buffer, sealed: Sealed): Decrypted {
  if (sealed.nonce.length !== NONCE_BYTES || sealed.tag.length !== TAG_BYTES) return null;
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, sealed.nonce);
    if (sealed.aad !== null) decipher.setAAD(sealed.aad);
    decipher.setAuthTag(sealed.tag);
    return Buffer.concat([decipher.update(sealed.text), decipher.final()]).toString("utf8");
  } catch {
    // Authentication failed; why is the same to every caller, and telling more would be an oracle.
    return null;
  }
}

function additionalData(place: SecretPlace): Buffer {
  return Buffer.from(`${place.scope}|${place.key}|${ENCRYPTION_VERSION}`, "utf8");
}

/**
 * The 32 key bytes in `text`: raw (32 bytes of UTF-8), or base64 or base64url of 32 bytes.
 * @throws DomainError `bad_request` that names neither the text nor its length.
 */
export function parseMasterKey(text: string): Uint8Array {
  const trimmed = text.trim();
  const decoded = Buffer.from(trimmed, "base64");
  if (decoded.length === KEY_BYTES && /^[A-Za-z0-9+/_-]+={0,2}$/.test(trimmed)) return decoded;
  const raw = Buffer.from(text, "utf8");
  if (raw.length === KEY_BYTES) return raw;
  throw new DomainError(
    "bad_request",
    "The key for secrets must be 32 raw bytes or base64 of 32 bytes.",
    {
      next: "Set SECRETS_ENCRYPTION_KEY to the output of `openssl rand -base64 32`, or unset it.",
    },
  );
}

/** Where the master key comes from; `key` wins over `keyFile`. */
export interface MasterKeySource {
  /** The value of `SECRETS_ENCRYPTION_KEY`; absent or empty means the file. */
  readonly key?: string | undefined;
  /** The launcher's `secrets.key`. */
  readonly keyFile: string;
}

/** The cipher of this installation. @throws when neither source has a usable key. */
export async function loadCipher(source: MasterKeySource): Promise<SecretCipher> {
  const isGiven = source.key !== undefined && source.key !== "";
  const text = isGiven ? source.key : await readFile(source.keyFile, "utf8");
  return createCipher(parseMasterKey(text ?? ""));
}
