import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/** A key and the certificate it signed for itself, both PEM. */
export interface SelfSigned {
  readonly key: string;
  readonly certificate: string;
}

const OID_COMMON_NAME = "550403";
const OID_ALT_NAME = "551d11";
const OID_ECDSA_SHA256 = "2a8648ce3d040302";

/** A certificate for `localhost` and 127.0.0.1, valid for a day. No program is needed to make it. */
export function selfSigned(nowMs = Date.now()): SelfSigned {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = sequence(set(sequence(oid(OID_COMMON_NAME), tag(0x0c, Buffer.from("localhost")))));
  const algorithm = sequence(oid(OID_ECDSA_SHA256));
  const altNames = sequence(
    tag(0x82, Buffer.from("localhost")),
    tag(0x87, Buffer.from([127, 0, 0, 1])),
  );
  const content = sequence(
    tag(0xa0, tag(0x02, Buffer.from([2]))),
    tag(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    sequence(utcTime(nowMs - 3_600_000), utcTime(nowMs + 86_400_000)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tag(0xa3, sequence(sequence(oid(OID_ALT_NAME), tag(0x04, altNames)))),
  );
  const signature = sign("sha256", content, privateKey);
  const der = sequence(content, algorithm, tag(0x03, Buffer.concat([Buffer.from([0]), signature])));
  const lines = der.toString("base64").replace(/.{64}/g, "$&\n");
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    certificate: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

function tag(id: number, content: Buffer): Buffer {
  const { length } = content;
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([id, ...size]), content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tag(0x30, Buffer.concat(parts));
}

function set(part: Buffer): Buffer {
  return tag(0x31, part);
}

function oid(hex: string): Buffer {
  return tag(0x06, Buffer.from(hex, "hex"));
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, "").slice(2, 14);
  return tag(0x17, Buffer.from(`${digits}Z`));
}
