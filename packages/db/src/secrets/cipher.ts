import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from "node:crypto";

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

/** AES-256-GCM. Holds its keys; neither they nor a value are ever printable. */
export interface SecretCipher {
  /** The record to store; a fresh nonce each time, so equal values have unequal records. */
  encrypt(place: SecretPlace, value: string): Uint8Array;
  /** Never throws: a wrong key, a moved row, a flipped bit and an unknown version all read as null. */
  decrypt(place: SecretPlace, stored: StoredSecret): Decrypted;
}

/** Master keys of 32 bytes. What follows from the first seals; all of them open what they have sealed. */
export type KeyRing = readonly [Uint8Array, ...Uint8Array[]];

interface RingKey {
  readonly key: Buffer;
  /** Begins what a data key of this master key has sealed. */
  readonly kid: Buffer;
  /** Begins what the master key itself has sealed, as it did before there were data keys. */
  readonly directKid: Buffer;
  /** Data keys that were needed lately, by scope. */
  readonly derived: Map<SecretScope, Buffer>;
}

/**
 * A cipher over a ring. Each scope has a data key of its own, which follows from the master key, so that
 * none has to be stored, wrapped or lost. Record: version, key id (8), nonce (12), tag (16), ciphertext.
 */
export function createCipher(...keys: KeyRing): SecretCipher {
  const ring = keys.map(ringKey);
  const first = ringKey(keys[0]);
  return {
    encrypt: (place, value) => {
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", dataKey(first, place.scope), nonce);
      cipher.setAAD(additionalData(place));
      const text = Buffer.concat([cipher.update(value, "utf8"), cipher.final()]);
      return Buffer.concat([
        Buffer.of(ENCRYPTION_VERSION),
        first.kid,
        nonce,
        cipher.getAuthTag(),
        text,
      ]);
    },
    decrypt: (place, stored) => {
      const record = Buffer.from(stored.record);
      switch (stored.encryptionVersion) {
        case 0:
          return record.toString("utf8");
        case 1:
          return openUnnamed(ring, record);
        case ENCRYPTION_VERSION:
          return openRecord(ring, place, record);
        default:
          return null;
      }
    },
  };
}

function ringKey(masterKey: Uint8Array): RingKey {
  if (masterKey.length !== KEY_BYTES) throw new Error("invariant: a master key has 32 bytes");
  const key = Buffer.from(masterKey);
  const kidOf = (use: string) =>
    createHmac("sha256", key).update(use).digest().subarray(0, KID_BYTES);
  const derived = new Map<SecretScope, Buffer>();
  return { key, kid: kidOf("molecule-data-key-id"), directKid: kidOf("molecule-key-id"), derived };
}

/** Scopes whose data key is kept at hand; deriving one costs as much as opening ten records. */
const MAX_DERIVED = 1_000;

/** The key that seals what belongs to one workspace, or to the organisation. */
function dataKey({ key, derived }: RingKey, scope: SecretScope): Buffer {
  const known = derived.get(scope);
  if (known !== undefined) return known;
  const made = Buffer.from(hkdfSync("sha256", key, "", `molecule-data-key|${scope}`, KEY_BYTES));
  if (derived.size >= MAX_DERIVED) derived.clear();
  derived.set(scope, made);
  return made;
}

/** The bytes that every record begins with that a data key of this key sealed; they tell nothing of it. */
export function recordPrefix(masterKey: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.of(ENCRYPTION_VERSION), ringKey(masterKey).kid]);
}

/** A record of version 1 does not name its key. */
function openUnnamed(ring: readonly RingKey[], record: Buffer): Decrypted {
  const sealed = {
    nonce: record.subarray(0, NONCE_BYTES),
    tag: record.subarray(-TAG_BYTES),
    text: record.subarray(NONCE_BYTES, -TAG_BYTES),
    aad: null,
  };
  for (const { key } of ring) {
    const value = open(key, sealed);
    if (value !== null) return value;
  }
  return null;
}

function openRecord(ring: readonly RingKey[], place: SecretPlace, record: Buffer): Decrypted {
  if (record.length < HEADER_BYTES || record[0] !== ENCRYPTION_VERSION) return null;
  const at = [1, 1 + KID_BYTES, 1 + KID_BYTES + NONCE_BYTES, HEADER_BYTES] as const;
  const key = keyNamed(ring, record.subarray(at[0], at[1]), place.scope);
  if (key === null) return null;
  return open(key, {
    nonce: record.subarray(at[1], at[2]),
    tag: record.subarray(at[2], at[3]),
    text: record.subarray(at[3]),
    aad: additionalData(place),
  });
}

function keyNamed(ring: readonly RingKey[], name: Buffer, scope: SecretScope): Buffer | null {
  for (const known of ring) {
    if (timingSafeEqual(name, known.kid)) return dataKey(known, scope);
    if (timingSafeEqual(name, known.directKid)) return known.key;
  }
  return null;
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
