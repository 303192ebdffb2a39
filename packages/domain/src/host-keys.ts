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
