import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { TRPC_PATH } from "../features/session/boot-script.ts";

/** A read by the key that tRPC gives its query. */
export interface Read {
  readonly queryKey: QueryKey;
}

type Fetch = (url: string) => Promise<Pick<Response, "json">>;

/**
 * Fetches several reads into the cache by one request, which leaves at once: in the event that wants them,
 * before anything is drawn for it. The client's own batch waits for a timer, and a timer comes after the
 * frame that the event leads to. What is cached or on its way is not asked for again. Resolves when all of
 * it has an answer; a failure is left for whoever shows it.
 */
export async function prefetchAtOnce(
  queryClient: QueryClient,
  reads: readonly Read[],
  send: Fetch = (url) => fetch(url),
): Promise<void> {
  const open = reads.filter(({ queryKey }) => {
    const state = queryClient.getQueryState(queryKey);
    if (state?.fetchStatus === "fetching") return false;
    return state?.data === undefined || state.isInvalidated;
  });
  const first = open.length === 0 ? null : readAtOnce(open, send);
  const fetched = reads.map((read) => {
    const at = open.indexOf(read);
    let isFirst = true;
    return queryClient.prefetchQuery({
      queryKey: read.queryKey,
      queryFn: async () => {
        const shared = isFirst ? first : null;
        isFirst = false;
        const answers = await (shared ?? readAtOnce([read], send));
        return answerOf(answers[shared === null ? 0 : at]);
      },
    });
  });
  await Promise.all(fetched);
}

/** The batch as tRPC answers it without a stream: one entry for each read, in their order. */
async function readAtOnce(reads: readonly Read[], send: Fetch): Promise<readonly unknown[]> {
  const calls = reads.map(({ queryKey: [path, options] }) => ({
    path: Array.isArray(path) ? path.join(".") : "",
    input: isRecord(options) ? options.input : undefined,
  }));
  const input = Object.fromEntries(calls.map((call, index) => [index, call.input]));
  const paths = calls.map(({ path }) => path).join(",");
  const query = new URLSearchParams({ batch: "1", input: JSON.stringify(input) });
  const answer = await send(`${TRPC_PATH}/${paths}?${query}`);
  const body: unknown = await answer.json();
  return Array.isArray(body) ? body : reads.map(() => body);
}

/** @throws Error with the platform's own problem, as `readProblem` reads it. */
function answerOf(entry: unknown): unknown {
  if (isRecord(entry) && isRecord(entry.result)) return entry.result.data;
  const error = isRecord(entry) && isRecord(entry.error) ? entry.error : {};
  throw Object.assign(new Error("The platform refused this request."), error);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
