import { expect, test } from "vitest";
import { replyText } from "./model/a2a-reply.ts";
import { sendMessage, type TurnProgress } from "./send-message.ts";

async function send(answer: () => Response | Promise<Response>) {
  const seen: TurnProgress[] = [];
  const requests: { url: string; body: unknown }[] = [];
  await sendMessage(
    async (url, init) => {
      requests.push({ url: String(url), body: JSON.parse(String(init?.body)) });
      return answer();
    },
    {
      workspaceId: "w1",
      messageId: "m1",
      text: "hello",
      signal: new AbortController().signal,
      onProgress: (progress) => seen.push(progress),
    },
  );
  return { seen, last: seen.at(-1), requests };
}

const sse = (text: string) =>
  new Response(text, { headers: { "content-type": "text/event-stream; charset=utf-8" } });
const json = (status: number, body: unknown) => Response.json(body, { status });
const artifact = (text: string) =>
  `data: ${JSON.stringify({ result: { kind: "artifact-update", append: true, artifact: { artifactId: "a", parts: [{ kind: "text", text }] } } })}\n\n`;
const completed = `data: ${JSON.stringify({ result: { kind: "status-update", status: { state: "completed" } } })}\n\n`;

test("a streamed reply grows and ends as done, under the message id that was sent", async () => {
  const { seen, last, requests } = await send(() =>
    sse(artifact("Hel") + artifact("lo") + completed),
  );
  expect(seen.map((step) => replyText(step.reply))).toEqual(["", "Hel", "Hello", "Hello", "Hello"]);
  expect(last?.state).toBe("done");
  expect(requests[0]).toMatchObject({
    url: "/workspaces/w1/a2a",
    body: { method: "message/stream", params: { message: { messageId: "m1" } } },
  });
});

test("a stream that breaks off leaves the answer to history and keeps what came", async () => {
  const { last } = await send(() => sse(artifact("Hel")));
  expect(last).toMatchObject({ state: "waiting", error: null });
  expect(last && replyText(last.reply)).toBe("Hel");
});

test("a message to an agent that is not ready is queued", async () => {
  expect((await send(() => json(202, { queued: true, queue_id: "q" }))).last?.state).toBe("queued");
  expect((await send(() => json(200, { status: "queued" }))).last?.state).toBe("queued");
  const waking = { error: "The agent is asleep.", waking: true, queued: true, queue_id: "q" };
  expect((await send(() => json(503, waking))).last?.state).toBe("queued");
});

test("an agent that does not stream answers in one piece", async () => {
  const { last } = await send(() =>
    json(200, {
      jsonrpc: "2.0",
      result: { kind: "message", parts: [{ kind: "text", text: "hi" }] },
    }),
  );
  expect(last?.state).toBe("done");
  expect(last && replyText(last.reply)).toBe("hi");
});

test("a refusal keeps the platform's sentence and its next step", async () => {
  const { last } = await send(() =>
    json(409, {
      code: "workspace_paused",
      error: "Ada is paused.",
      next: "Resume it.",
      request_id: "r",
    }),
  );
  expect(last).toMatchObject({ state: "failed", error: "Ada is paused.", next: "Resume it." });
});

test("a refusal without a known body still says something", async () => {
  expect((await send(() => new Response("<html>", { status: 502 }))).last?.error).toContain("502");
  expect((await send(() => json(502, { error: "No agent." }))).last?.error).toBe("No agent.");
});

test("no answer at all is a failed send, not an exception", async () => {
  const { last } = await send(() => Promise.reject(new TypeError("network")));
  expect(last).toMatchObject({ state: "failed", error: "The platform did not answer." });
});

test("an agent's own error is a failed reply, not a failed send", async () => {
  const { last } = await send(() => json(200, { error: { code: -32000, message: "No key." } }));
  expect(last).toMatchObject({ state: "done", reply: { phase: "failed", error: "No key." } });
});
