import { SESSIONS_CHANNEL, stillLiveSessions } from "@molecule/db/sessions/find-session";
import { stillLiveTokens } from "@molecule/db/workspaces/find-bearer";
import type { Auth } from "../context.ts";
import type { Deps } from "../deps.ts";

/** An open stream and how it ends when its credential does. */
export interface OpenStream {
  readonly auth: Auth;
  /** Ends the stream. After `stopping` the client should come back, after `signed_out` not. */
  end(why: "signed_out" | "stopping"): void;
}

/** Longest time a stream outlives its session or token. Source: security C2 row 19. */
const RECHECK_MS = 60_000;

/**
 * Knows every open stream of this process and ends those whose session or token has ended: at once
 * when another request says so, else within a minute.
 */
export class OpenStreams {
  readonly #deps: Deps;
  readonly #streams = new Set<OpenStream>();
  readonly #timer: NodeJS.Timeout;
  #unlisten: (() => Promise<void>) | null = null;
  #check: Promise<void> = Promise.resolve();

  private constructor(deps: Deps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.recheck(), RECHECK_MS);
    this.#timer.unref();
  }

  /** Resolves when it listens. */
  static async start(deps: Deps): Promise<OpenStreams> {
    const streams = new OpenStreams(deps);
    streams.#unlisten = await deps.db.listen(SESSIONS_CHANNEL, () => streams.recheck());
    return streams;
  }

  /** Adds a stream; the returned function removes it. */
  add(stream: OpenStream): () => void {
    this.#streams.add(stream);
    this.#deps.metrics.socketOpened();
    return () => {
      if (this.#streams.delete(stream)) this.#deps.metrics.socketClosed();
    };
  }

  /** Looks at every credential now. A failing database ends nothing; the next look decides. */
  recheck(): void {
    this.#check = this.#check
      .then(() => this.#endDead())
      .then(() => this.#deps.pulse.tick("open streams", RECHECK_MS))
      .catch((err: unknown) => this.#deps.log.warn({ err }, "open streams were not checked"));
  }

  /** Ends every stream. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#check;
    for (const stream of this.#streams) stream.end("stopping");
    // The connection may be gone already; then there is nothing left to listen on.
    await this.#unlisten?.().catch(() => undefined);
  }

  async #endDead(): Promise<void> {
    const streams = [...this.#streams];
    const sessions = streams.flatMap(({ auth }) =>
      auth.kind === "member" ? [auth.sessionId] : [],
    );
    const tokens = streams.flatMap(({ auth }) => (auth.kind === "workspace" ? [auth.tokenId] : []));
    const [liveSessions, liveTokens] = await Promise.all([
      stillLiveSessions(this.#deps.db, sessions),
      stillLiveTokens(this.#deps.db, tokens),
    ]);
    for (const stream of streams) {
      const { auth } = stream;
      if (auth.kind === "member" && !liveSessions.has(auth.sessionId)) {
        stream.end("signed_out");
      }
      if (auth.kind === "workspace" && !liveTokens.has(auth.tokenId)) {
        stream.end("signed_out");
      }
    }
  }
}
