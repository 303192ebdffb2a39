/** The public half of a machine's SSH key. */
export interface HostKeyPrint {
  /** Such as `ssh-ed25519`. */
  readonly type: string;
  /** Base64 without padding, as `ssh-keygen -lf` prints it behind `SHA256:`. */
  readonly sha256: string;
}

const TYPES: ReadonlySet<string> = new Set([
  "ssh-ed25519",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "ssh-rsa",
]);
/** Longest line that is read: an RSA key of 16384 bits has 2,800 characters. */
const MAX_LINE = 4_096;

/**
 * A public key as `/etc/ssh/ssh_host_…_key.pub` has it, without its comment; null when it is none of a kind
 * we take, or says another kind inside than outside. SPEC: MR5.
 */
export function parseHostKey(
  line: string,
): { readonly type: string; readonly data: string } | null {
  if (line.length > MAX_LINE) return null;
  const [, type = "", data = ""] =
    /^([a-z0-9-]+) ([A-Za-z0-9+/]{40,}={0,2})(?: [^\r\n]*)?\s*$/.exec(line) ?? [];
  if (!TYPES.has(type)) return null;
  // Its first field is the name of its kind: four bytes of length, then the name.
  const length = String.fromCharCode(0, 0, 0, type.length);
  const head = decodeBase64(data.slice(0, 4 * Math.ceil((4 + type.length) / 3)));
  return head.startsWith(`${length}${type}`) ? { type, data } : null;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Bytes as characters; this package has no library for it. */
function decodeBase64(text: string): string {
  const bits = [...text.replace(/=+$/, "")]
    .map((letter) => ALPHABET.indexOf(letter).toString(2).padStart(6, "0"))
    .join("");
  const bytes = bits.match(/.{8}/g) ?? [];
  return bytes.map((byte) => String.fromCharCode(Number.parseInt(byte, 2))).join("");
}

const BEGIN = "-----BEGIN SSH HOST KEY KEYS-----";
const END = "-----END SSH HOST KEY KEYS-----";

/**
 * What to do about the key a machine offers. `accept`: it is the pinned one. `pin`: none is known yet.
 * `mismatch`: another machine answers; it is never pinned anew by itself. SPEC: TU14.
 */
export function judgeHostKey(
  pinned: HostKeyPrint | null,
  offered: HostKeyPrint,
): "accept" | "pin" | "mismatch" {
  if (pinned === null) return "pin";
  return pinned.type === offered.type && pinned.sha256 === offered.sha256 ? "accept" : "mismatch";
}

/**
 * The keys that cloud-init printed on the console at the first boot, as `type base64`; the last block
 * counts. Empty when the console says nothing of them. SPEC: TU14.
 */
export function hostKeysOnConsole(text: string): readonly { type: string; data: string }[] {
  const begin = text.lastIndexOf(BEGIN);
  const end = text.indexOf(END, begin);
  if (begin === -1 || end === -1) return [];
  return text
    .slice(begin + BEGIN.length, end)
    .split(/\r?\n/)
    .flatMap((line) => {
      // A console may put its own words in front of each line.
      const match = /(?:^|\s)([a-z0-9-]+) ([A-Za-z0-9+/]+=*)(?:\s|$)/.exec(line);
      const [, type = "", data = ""] = match ?? [];
      return TYPES.has(type) ? [{ type, data }] : [];
    });
}
