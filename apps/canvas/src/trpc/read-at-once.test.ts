import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { readProblem } from "./problem.ts";
import { prefetchAtOnce } from "./read-at-once.ts";

const key = (path: string, input: unknown) => [path.split("."), { input, type: "query" }];
const one = { queryKey: key("config.document", { workspaceId: "w" }) };
const two = { queryKey: key("memories.list", { workspaceId: "w", text: "" }) };

/** A platform that answers each batch with the next of `bodies`, and the addresses it was asked at. */
function platform(...bodies: unknown[]) {
  const asked: URL[] = [];
  const send = async (url: string) => {
    asked.push(new URL(url, "http://page"));
    const body = bodies.shift();
    if (body === undefined) throw new TypeError("Failed to fetch");
    return { json: async () => body };
  };
  return { asked, send };
}

function cache() {
  return new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
}

test("several reads are one request, which has left when the call returns, and are in the cache afterwards", async () => {
  const queries = cache();
  const { asked, send } = platform([{ result: { data: "document" } }, { result: { data: [] } }]);
  const fetched = prefetchAtOnce(queries, [one, two], send);
  expect(asked.map(({ pathname }) => pathname)).toEqual(["/trpc/config.document,memories.list"]);
  expect(JSON.parse(asked[0]?.searchParams.get("input") ?? "")).toEqual({
    0: { workspaceId: "w" },
    1: { workspaceId: "w", text: "" },
  });
  const again = prefetchAtOnce(queries, [one, two], send);
  await Promise.all([fetched, again]);
  await prefetchAtOnce(queries, [one, two], send);
  expect(asked, "what is on its way or there is not asked for again").toHaveLength(1);
  expect(queries.getQueryData(one.queryKey)).toBe("document");
  expect(queries.getQueryData(two.queryKey)).toEqual([]);
});

test("what is stale is asked for again, and alone", async () => {
  const queries = cache();
  queries.setQueryData(one.queryKey, "old");
  queries.setQueryData(two.queryKey, []);
  await queries.invalidateQueries({ queryKey: one.queryKey });
  const { asked, send } = platform([{ result: { data: "new" } }]);
  await prefetchAtOnce(queries, [one, two], send);
  expect(asked.map(({ pathname }) => pathname)).toEqual(["/trpc/config.document"]);
  expect(queries.getQueryData(one.queryKey)).toBe("new");
});

test("one that fails keeps the platform's sentence, and the others are there", async () => {
  const queries = cache();
  const problem = { code: "not_found", error: "There is no such agent." };
  const { send } = platform([{ error: { data: { problem } } }, { result: { data: [1] } }]);
  await prefetchAtOnce(queries, [one, two], send);
  expect(readProblem(queries.getQueryState(one.queryKey)?.error).sentence).toBe(
    "There is no such agent.",
  );
  expect(queries.getQueryData(two.queryKey)).toEqual([1]);
});

test("no answer at all is told as such, and a second try is a request of its own", async () => {
  const queries = new QueryClient({
    defaultOptions: { queries: { retry: (count) => count < 1, retryDelay: 0 } },
  });
  const { asked, send } = platform(undefined, [{ result: { data: "second" } }]);
  await prefetchAtOnce(queries, [one], send);
  expect(asked).toHaveLength(2);
  expect(queries.getQueryData(one.queryKey)).toBe("second");
  const away = cache();
  await prefetchAtOnce(away, [one], platform().send);
  expect(readProblem(away.getQueryState(one.queryKey)?.error).code).toBe("network");
});
