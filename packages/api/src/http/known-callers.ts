import { tokenDigest } from "@molecule/db/tokens/workspace-tokens";

/** Callers kept at most; beyond it all start anew, which only costs each the longer way once. */
const MAX_CALLERS = 50_000;

/** A caller whose bearer has passed before. */
interface KnownCaller {
  readonly tokenSha256: Uint8Array;
  /** Key of its rate window. */
  readonly credential: string;
}

/**
 * Which rate window a bearer counts in, for bearers that passed in this process. It proves nothing:
 * whoever uses it has the database check the digest again.
 */
export class KnownCallers {
  readonly #callers = new Map<string, KnownCaller>();

  /** The caller behind the bearer; null for one that has not passed here, and without a bearer. */
  find(headers: Headers): KnownCaller | null {
    const digest = digestOf(headers);
    return digest === null ? null : (this.#callers.get(keyOf(digest)) ?? null);
  }

  /** Remembers the window of a bearer, or forgets it when it did not pass. */
  note(headers: Headers, credential: string | null): void {
    const tokenSha256 = digestOf(headers);
    if (tokenSha256 === null) return;
    if (credential === null) {
      this.#callers.delete(keyOf(tokenSha256));
      return;
    }
    if (this.#callers.size >= MAX_CALLERS) this.#callers.clear();
    this.#callers.set(keyOf(tokenSha256), { tokenSha256, credential });
  }
}

function digestOf(headers: Headers): Uint8Array | null {
  const header = headers.get("authorization") ?? "";
  const token = header.startsWith("Bearer ") ? header.slice(7).trim() : "";
  return token === "" ? null : tokenDigest(token);
}

const keyOf = (digest: Uint8Array) => Buffer.from(digest).toString("base64");
