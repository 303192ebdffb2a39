import { setTimeout as delay } from "node:timers/promises";

/** A client of several servers that insists: it repeats until somebody has acknowledged. */
export interface PatientClient {
  /**
   * Parsed answer of the first 2xx, or of a status in `alsoFine`. Repeats after a lost connection and after
   * 502, 503 and 504; the number of requests sent is told, because a lost answer may have been an act.
   */
  call<T>(request: PatientRequest): Promise<{ readonly answer: T; readonly sent: number }>;
}

/** One request. */
export interface PatientRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  /** Statuses that are as good as done, when the request was sent before: 404 to a repeated delete. */
  readonly alsoFine?: readonly number[];
}

/** Longest time without an acknowledgement; longer is a stall. */
const GIVE_UP_MS = 60_000;
const AGAIN = [502, 503, 504];

/** `urls` is asked anew for every try; */
export function createPatientClient(options: {
  readonly urls: () => readonly string[];
  readonly token: string;
  readonly dice: (below: number) => number;
}): PatientClient {
  return {
    call: async <T>(request: PatientRequest) => {
      const { method, path, body, alsoFine = [] } = request;
      const deadline = performance.now() + GIVE_UP_MS;
      let last = "";
      for (let sent = 1; ; sent += 1) {
        const urls = options.urls();
        const url = urls[options.dice(urls.length)];
        const response = await fetch(`${url}${path}`, {
          method,
          headers: { authorization: `Bearer ${options.token}`, "content-type": "application/json" },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: AbortSignal.timeout(20_000),
        })
          .then(
            async (answer) => ({ status: answer.status, text: await answer.text() }),
            (error: unknown) => ({ status: 503, text: String(error) }),
          )
          .catch((error: unknown) => ({ status: 503, text: String(error) }));
        const { status, text } = response;
        if (status < 300 || alsoFine.includes(status)) {
          return { answer: JSON.parse(text || "null") as T, sent };
        }
        last = `${method} ${path}: ${status} ${text}`;
        if (!AGAIN.includes(status)) throw new Error(last);
        if (performance.now() > deadline) throw new Error(`never acknowledged: ${last}`);
        await delay(50);
      }
    },
  };
}
