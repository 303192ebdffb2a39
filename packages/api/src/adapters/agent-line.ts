import { buildConnector, Client } from "undici";
import { type AddressRefusal, chooseAddress, isDialable, type Resolve } from "./public-address.ts";

const CONNECT_TIMEOUT_MS = 10_000;
/**
 * How long a connection is kept for the next request, in ms: as long as a burst of messages needs. An agent
 * that serves one connection at a time makes nobody else wait longer, and what closes or dies has been
 * noticed long before it is used again.
 */
const KEPT_MS = 100;
/** Connections kept for one agent; what a larger burst opened ends with its request. */
const MAX_KEPT = 64;

/** Where an agent listens and how it may be dialled. */
export interface AgentAddress {
  readonly url: URL;
  /**
   * `recorded`: the worker recorded it for the current attempt. `registered`: an agent chose it, so
   * every address of its name is checked when the connection is made.
   */
  readonly trust: "recorded" | "registered";
}

/** Why nothing was sent. */
export type NeverSentCause = AddressRefusal | "refused" | "timeout" | "tls" | "cancelled";

/** What connections are made with. */
export interface ConnectionOptions {
  readonly allowCidrs: readonly string[];
  readonly resolve: Resolve;
}

/** A connection to an agent, made with its first request, for one request at a time. */
export interface Line {
  readonly client: Client;
  /** Why the address may not be dialled; null while nothing spoke against it. */
  readonly refusal: AddressRefusal | null;
  /** Its request is over and went well: it may be used again for a moment. */
  keep(): void;
  /** Its request is over and did not. */
  end(): void;
}

/** Lines that wait for their next request, newest last, by what they lead to. */
const kept = new WeakMap<Resolve, Map<string, KeptLine[]>>();

/** A line that waits, or a new one. Nothing is dialled before its first request. */
export function openLine(options: ConnectionOptions, address: AgentAddress): Line {
  const key = `${address.trust} ${address.url.origin} ${options.allowCidrs.join(",")}`;
  const byKey = kept.get(options.resolve) ?? new Map<string, KeptLine[]>();
  kept.set(options.resolve, byKey);
  for (;;) {
    const line = byKey.get(key)?.pop();
    if (line === undefined) return new KeptLine(options, address, { key, byKey });
    if (line.isUsable) return line;
    line.end();
  }
}

class KeptLine implements Line {
  readonly client: Client;
  readonly #dial: Dial;
  readonly #place: { readonly key: string; readonly byKey: Map<string, KeptLine[]> };
  /** It closed at least once: it leads nowhere and is not used again. */
  #hasClosed = false;

  constructor(
    options: ConnectionOptions,
    address: AgentAddress,
    place: { readonly key: string; readonly byKey: Map<string, KeptLine[]> },
  ) {
    this.#place = place;
    this.#dial = new Dial(options, address);
    this.client = new Client(address.url.origin, {
      connect: this.#dial.connector,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEPT_MS,
      keepAliveMaxTimeout: KEPT_MS,
    });
    this.client.once("disconnect", () => {
      this.#hasClosed = true;
      this.#leave();
    });
  }

  get refusal(): AddressRefusal | null {
    return this.#dial.failure;
  }

  get isUsable(): boolean {
    return !this.#hasClosed && this.client.stats.connected;
  }

  keep(): void {
    const { key, byKey } = this.#place;
    const waiting = byKey.get(key) ?? [];
    if (!this.isUsable || waiting.length >= MAX_KEPT) {
      this.end();
      return;
    }
    waiting.push(this);
    byKey.set(key, waiting);
  }

  end(): void {
    this.client.destroy().catch(() => undefined);
  }

  #leave(): void {
    const { key, byKey } = this.#place;
    const waiting = byKey.get(key)?.filter((line) => line !== this) ?? [];
    if (waiting.length === 0) byKey.delete(key);
    else byKey.set(key, waiting);
  }
}

/** Keeps TLS sessions only: resuming one saves a round trip, and is a connection of its own. */
const connect = buildConnector({ timeout: CONNECT_TIMEOUT_MS });

/** Makes the connections of a line, checks where they lead, and remembers why it would not. */
class Dial {
  failure: AddressRefusal | null = null;
  readonly connector: buildConnector.connector;

  constructor(options: ConnectionOptions, address: AgentAddress) {
    this.connector = (target, callback) => {
      const done: buildConnector.Callback = (...result) => {
        const [error, socket] = result;
        if (error !== null) return callback(error, null);
        if (address.trust === "registered" && !this.#isAllowed(socket.remoteAddress, options)) {
          socket.destroy();
          return callback(new Error("the address is not public"), null);
        }
        return callback(null, socket);
      };
      if (address.trust === "recorded") {
        connect(target, done);
        return;
      }
      chooseAddress(target.hostname, options).then(
        (chosen) => {
          if ("refusal" in chosen) {
            this.failure = chosen.refusal;
            callback(new Error("the address is refused"), null);
            return;
          }
          // The checked address is dialled, not the name again: a second answer could differ.
          const servername = target.servername ?? target.hostname;
          connect({ ...target, hostname: chosen.address, servername }, done);
        },
        (error: unknown) => callback(error instanceof Error ? error : new Error("lookup"), null),
      );
    };
  }

  #isAllowed(remote: string | undefined, options: ConnectionOptions): boolean {
    if (remote !== undefined && isDialable(remote, options.allowCidrs)) return true;
    this.failure = "not_public";
    return false;
  }
}

/** What an error before the first byte means. */
export function causeOf(error: unknown): NeverSentCause {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") return "timeout";
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") return "unresolvable";
  if (code.startsWith("ERR_TLS") || code.startsWith("ERR_SSL") || code.includes("CERT"))
    return "tls";
  return "refused";
}
