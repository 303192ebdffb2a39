import { createHash } from "node:crypto";
import { PassThrough } from "node:stream";
import { isDomainError } from "@molecule/domain/errors";
import {
  type ReadPluginArchive,
  readPluginArchive,
} from "@molecule/templates/archive/plugin-archive";
import { type AgentHead, type AgentResult, requestAgent } from "./agent-connection.ts";
import type { ConnectionOptions } from "./agent-line.ts";

/** From where archives are taken. Everything in it is the operator's. */
export interface ArchiveHost {
  /** Address in front of `/<owner>/<repo>/tar.gz/<ref>`. Dialled as it is, wherever it is. */
  readonly baseUrl: URL;
  /** Sent to that origin alone, never along a redirect; null: none. */
  readonly token: string | null;
  /** Hosts (with their port, where it is not the usual one) that a redirect may lead to. */
  readonly redirectHosts: readonly string[];
}

/** One archive to fetch. */
export interface ArchiveRequest {
  /** Below the base address, beginning with a slash, encoded. */
  readonly path: string;
  /** Most bytes of the archive and of what it unpacks to. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

/** What came of a request. Nothing of what the other side wrote is in it, but the files. */
export type ArchiveOutcome =
  | {
      readonly kind: "files";
      readonly files: ReadonlyMap<string, Uint8Array>;
      /** Of the archive's own bytes. */
      readonly archiveSha256: string;
    }
  | { readonly kind: "status"; readonly status: number; readonly retryAfterSeconds: number | null }
  | {
      readonly kind: "failed";
      readonly why:
        | "unreachable"
        | "timeout"
        | "broken_off"
        | "no_archive"
        | "too_large"
        | "redirect";
    };

const MAX_REDIRECTS = 3;
/** Of an answer that is no archive nothing is read. */
const MAX_RETRY_AFTER_SECONDS = 86_400;

/**
 * Fetches an archive and reads it as it comes. A redirect is followed at most three times, to the same
 * origin or to a host of the operator's list whose every address is public, and never from https to http.
 * @throws DomainError as `readPluginArchive`: the archive is whole, and no plugin.
 */
export async function downloadArchive(
  options: ConnectionOptions & { readonly host: ArchiveHost; readonly now: () => Date },
  request: ArchiveRequest,
): Promise<ArchiveOutcome> {
  const { baseUrl } = options.host;
  let url = new URL(`${baseUrl.pathname.replace(/\/+$/, "")}${request.path}`, baseUrl);
  for (let hop = 0; hop <= MAX_REDIRECTS; hop += 1) {
    const answer = await ask(options, request, url);
    if (answer.kind !== "redirect") return answer;
    const next = followable(options.host, url, answer.location);
    if (next === null) break;
    url = next;
  }
  return { kind: "failed", why: "redirect" };
}

/** Where a redirect leads; null when it is not followed. */
function followable(
  { baseUrl, redirectHosts }: ArchiveHost,
  from: URL,
  location: string,
): URL | null {
  let url: URL;
  try {
    url = new URL(location, from);
  } catch {
    return null;
  }
  if (url.username !== "" || url.password !== "") return null;
  if (url.origin === baseUrl.origin) return url;
  const isKnown = redirectHosts.includes(url.host);
  const isSafe =
    url.protocol === "https:" || (url.protocol === "http:" && from.protocol === "http:");
  return isKnown && isSafe ? url : null;
}

async function ask(
  options: ConnectionOptions & { readonly host: ArchiveHost; readonly now: () => Date },
  { maxBytes, signal }: ArchiveRequest,
  url: URL,
): Promise<ArchiveOutcome | { readonly kind: "redirect"; readonly location: string }> {
  const { host } = options;
  const isOwn = url.origin === host.baseUrl.origin;
  const body = new BodyReader(maxBytes);
  const result = await requestAgent(options, {
    address: { url, trust: isOwn ? "recorded" : "registered" },
    method: "GET",
    headers: {
      accept: "application/gzip, application/octet-stream",
      "user-agent": "molecule",
      ...(isOwn && host.token !== null ? { authorization: `Bearer ${host.token}` } : {}),
    },
    body: null,
    signal,
    maxResponseBytes: maxBytes,
    onHead: (head) => body.begin(head),
    onChunk: (chunk) => body.take(chunk),
  });
  const read = await body.end(result.kind === "answered");
  const head = result.kind === "never_sent" ? null : result.head;
  if (head !== null && head.status !== 200) return otherAnswer(head, options.now());
  if (result.kind !== "answered" && !body.hasGivenUp && !isDomainError(read)) {
    return failureOf(result);
  }
  if (read instanceof Error) throw read;
  if (read === null || read.kind === "broken") return { kind: "failed", why: "no_archive" };
  return { kind: "files", files: read.files, archiveSha256: body.sha256() };
}

function otherAnswer(
  { status, headers }: AgentHead,
  now: Date,
): ArchiveOutcome | { readonly kind: "redirect"; readonly location: string } {
  const { location } = headers;
  if (status >= 301 && status <= 308 && status !== 304 && location !== undefined) {
    return { kind: "redirect", location };
  }
  return { kind: "status", status, retryAfterSeconds: retryAfter(status, headers, now) };
}

/** When a limit of requests ends, in seconds; null where the answer is about something else. */
function retryAfter(
  status: number,
  headers: Readonly<Record<string, string>>,
  now: Date,
): number | null {
  if (status !== 403 && status !== 429) return null;
  const wait = Number(headers["retry-after"] ?? "x");
  const reset = Number(headers["x-ratelimit-reset"] ?? "x") - now.getTime() / 1000;
  const isUsedUp = status === 429 || headers["x-ratelimit-remaining"] === "0";
  const seconds = Number.isFinite(wait) ? wait : isUsedUp && Number.isFinite(reset) ? reset : null;
  if (seconds === null) return status === 429 ? 60 : null;
  return Math.min(Math.max(Math.ceil(seconds), 1), MAX_RETRY_AFTER_SECONDS);
}

function failureOf(result: Exclude<AgentResult, { kind: "answered" }>): ArchiveOutcome {
  const why = (): Extract<ArchiveOutcome, { kind: "failed" }>["why"] => {
    switch (result.cause) {
      case "cancelled":
      case "timeout":
        return "timeout";
      case "too_large":
        return "too_large";
      case "reset":
        return "broken_off";
      case "not_public":
      case "malformed":
        return "redirect";
      case "unresolvable":
      case "refused":
      case "tls":
        return "unreachable";
    }
  };
  return { kind: "failed", why: why() };
}

/** Hands an answer's bytes to the reader of archives as they come, no faster than it takes them. */
class BodyReader {
  readonly #bytes = new PassThrough();
  readonly #hash = createHash("sha256");
  readonly #maxBytes: number;
  #reading: Promise<Error | ReadPluginArchive> | null = null;
  #hasGivenUp = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    // Whoever reads it learns of it.
    this.#bytes.on("error", () => undefined);
  }

  begin({ status }: AgentHead): void {
    if (status !== 200) return;
    this.#reading = readPluginArchive(this.#bytes, { maxBytes: this.#maxBytes }).catch(
      (error: unknown) => (error instanceof Error ? error : new Error("the archive was not read")),
    );
  }

  /** Rejects when no more of it is wanted, which ends the request. */
  async take(chunk: Uint8Array): Promise<void> {
    if (this.#reading === null) throw new Error("nothing of it is wanted");
    if (this.#bytes.destroyed) {
      this.#hasGivenUp = true;
      throw new Error("no more of it is wanted");
    }
    this.#hash.update(chunk);
    if (this.#bytes.write(chunk)) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#bytes.off("drain", done).off("close", done);
        resolve();
      };
      this.#bytes.on("drain", done).on("close", done);
    });
  }

  /** What was read; null when there was nothing to read. An error is the reader's. */
  async end(isWhole: boolean): Promise<Error | ReadPluginArchive | null> {
    if (isWhole) this.#bytes.end();
    else this.#bytes.destroy(new Error("it broke off"));
    return await this.#reading;
  }

  /** The reader wanted no more: the request was ended for what had come. */
  get hasGivenUp(): boolean {
    return this.#hasGivenUp;
  }

  sha256(): string {
    return this.#hash.digest("hex");
  }
}
