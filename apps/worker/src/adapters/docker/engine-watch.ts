import type { Readable } from "node:stream";
import type { Engine } from "./engine.ts";

/** Notices that the engine has ended, also when it runs again before anybody asks it something. */
export interface EngineWatch {
  /** Watches from now on, or again after an end. An engine that cannot be watched is not. */
  begin(): Promise<void>;
  /** How often it has ended while it was watched. */
  ends(): number;
  stop(): void;
}

/** State: one connection on which the engine says next to nothing; it ends when the engine does. */
export function watchEngine(engine: Engine): EngineWatch {
  let stream: Readable | null = null;
  let opening: Promise<void> | null = null;
  let ends = 0;
  let isStopped = false;

  async function open(): Promise<void> {
    const opened = await engine.call("watch the engine", async (docker) => {
      return (await docker.getEvents({ filters: { type: ["daemon"] } })) as Readable;
    });
    opened.on("error", () => undefined);
    opened.once("close", () => {
      if (stream !== opened) return;
      stream = null;
      ends += 1;
    });
    if (isStopped) opened.destroy();
    else stream = opened.resume();
  }

  return {
    async begin() {
      if (stream !== null || isStopped) return;
      opening ??= open()
        .catch(() => undefined)
        .finally(() => {
          opening = null;
        });
      await opening;
    },
    ends: () => ends,
    stop() {
      isStopped = true;
      const last = stream;
      stream = null;
      last?.destroy();
    },
  };
}
