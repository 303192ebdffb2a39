const BLOCK = /-----BEGIN SSH HOST KEY KEYS-----([\s\S]*?)-----END SSH HOST KEY KEYS-----/g;
const KEY = /\b(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-\S+) ([A-Za-z0-9+/=]+)/g;

/**
 * Public host keys that a machine printed at its first boot, in base64; empty when none are shown (yet).
 * The console is AWS's word and comes another way than the connection it is held against. Source:
 * tunnel §6.
 */
export function consoleHostKeys(printed: string): readonly string[] {
  const blocks = [...printed.matchAll(BLOCK)].map((match) => match[1] ?? "");
  return [
    ...new Set(blocks.flatMap((block) => [...block.matchAll(KEY)].map(([, key]) => key ?? ""))),
  ];
}
