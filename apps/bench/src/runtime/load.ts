import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";

/** One request: a POST of JSON, or a GET where there is no body. */
export interface Call {
  readonly url: string;
  readonly bearer: string;
  readonly body?: unknown;
}

/** What became of a load. */
export interface LoadResult {
  /** From the moment each request was due until its answer was read, in ms. */
  readonly times: readonly number[];
  /** Status codes other than 200, and errors, by count. */
  readonly others: Readonly<Record<string, number>>;
  /** Answers per second, from the first due request to the last answer. */
  readonly perSecond: number;
}

/**
 * Sends at a fixed rate whether answers come or not, so that a slow answer does not thin the load out;
 * a request that had to wait for its turn counts from the moment it was due.
 */
export async function sendAtRate(
  next: () => Call,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const times: number[] = [];
  const others: Record<string, number> = {};
  const running: Promise<void>[] = [];
  const began = performance.now();
  const total = perSecond * seconds;
  for (let sent = 0; sent < total; sent += 1) {
    const due = began + (sent * 1000) / perSecond;
    const early = due - performance.now();
    if (early > 1) await delay(early);
    running.push(
      send(next(), agent).then(
        (status) => {
          times.push(performance.now() - due);
          if (status !== 200) others[status] = (others[status] ?? 0) + 1;
        },
        (error: Error) => {
          others[error.message] = (others[error.message] ?? 0) + 1;
        },
      ),
    );
  }
  await Promise.all(running);
  const took = (performance.now() - began) / 1000;
  agent.destroy();
  return { times, others, perSecond: times.length / took };
}

function send(call: Call, agent: Agent): Promise<number> {
  const body = call.body === undefined ? "" : JSON.stringify(call.body);
  return new Promise((resolve, reject) => {
    const sent = request(
      call.url,
      {
        method: call.body === undefined ? "GET" : "POST",
        agent,
        timeout: 30_000,
        headers: {
          authorization: `Bearer ${call.bearer}`,
          ...(body === "" ? {} : { "content-type": "application/json" }),
          "content-length": Buffer.byteLength(body),
        },
      },
      (answer) => {
        answer.resume();
        answer.once("end", () => resolve(answer.statusCode ?? 0));
        answer.once("error", reject);
      },
    );
    sent.once("timeout", () => sent.destroy(new Error("no answer in 30 s")));
    sent.once("error", reject);
    sent.end(body);
  });
}
