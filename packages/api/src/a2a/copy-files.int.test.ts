import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTestApi, type TestApi } from "../api.fixture.ts";
import { runAt, saying, startTestAgent, type TestAgent } from "./test-agent.fixture.ts";

let api: TestApi;
let sender: TestAgent;
let receiver: TestAgent;
let from: string;
let to: string;
let token: string;
/** What the sender has under its own paths. */
let files: Record<string, string>;
/** What the receiver answers to an upload; null: as a runtime does. */
let refusal: { status: number; error: string } | null;

beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  files = { "/workspace/a.txt": "first file", "/workspace/b c.csv": "x,y\n" };
  refusal = null;
  sender = await startTestAgent();
  sender.behave((call, res) => {
    const path = new URL(call.url ?? "", "http://x").searchParams.get("path") ?? "";
    const content = files[path];
    res.statusCode = content === undefined ? 404 : 200;
    res.setHeader("content-type", "text/csv");
    res.end(content ?? "{}");
  });
  receiver = await startTestAgent();
  receiver.behave(async (call, res, req) => {
    if (call.url !== "/internal/chat/uploads/ingest") return await saying("seen")(call, res, req);
    res.statusCode = refusal?.status ?? 200;
    const names = [...String(call.body.text).matchAll(/filename="([^"]*)"/g)].map(([, one]) => one);
    res.end(JSON.stringify(refusal ?? { files: names.map(copyOf) }));
  });
  from = await api.createWorkspace({ name: "Ada" });
  to = await api.createWorkspace({ name: "Ben" });
  await runAt(api, from, sender.address);
  await runAt(api, to, receiver.address);
  token = await api.tokenOf(from);
});
afterEach(async () => {
  await sender.close();
  await receiver.close();
});

const copyOf = (name: string | undefined) => ({
  uri: `workspace:/workspace/.molecule/chat-uploads/copy-${name}`,
  name,
  mimeType: "text/csv",
  size: 4,
});
const withFiles = (uris: readonly string[], messageId: string = crypto.randomUUID()) => ({
  jsonrpc: "2.0",
  id: 1,
  method: "message/send",
  params: {
    message: {
      role: "user",
      messageId,
      parts: [
        { kind: "text", text: "look" },
        ...uris.map((uri) => ({
          kind: "file",
          file: { uri, name: uri.split("/").at(-1) },
        })),
      ],
    },
  },
});
const send = (body: unknown, target = to, as = token) =>
  api.call("POST", `/workspaces/${target}/a2a`, { body, token: as });
const uploads = () => receiver.calls.filter(({ url }) => url?.includes("ingest"));
const messages = () => receiver.calls.filter(({ url }) => url === "/");
const partsOf = (body: unknown) =>
  (body as ReturnType<typeof withFiles>).params.message.parts.slice(1) as unknown[];
const rows = () => api.test.sql`SELECT request_body, status, error_detail FROM activity
  WHERE workspace_id = ${to} AND activity_type = 'a2a_receive'`;

it("KF4: files of a message are copied into the receiver, which is told its own uris", async () => {
  const link = "https://example.com/open.txt";
  const body = withFiles(
    ["workspace:/workspace/a.txt", link, "workspace:/workspace/b c.csv"],
    "m1",
  );
  expect((await send(body)).status).toBe(200);
  expect(uploads()).toHaveLength(1);
  expect(uploads()[0]?.headers.authorization).toMatch(/^Bearer [\w-]{43}$/);
  const form = String(uploads()[0]?.body.text);
  expect(form).toContain('filename="a.txt"\r\nContent-Type: text/csv\r\n\r\nfirst file\r\n');
  expect(form).toContain("\r\n\r\nx,y\n\r\n--");
  const expected = [
    { kind: "file", file: { ...copyOf("a.txt") } },
    { kind: "file", file: { uri: link, name: "open.txt" } },
    { kind: "file", file: { ...copyOf("b c.csv") } },
  ];
  expect(partsOf(messages()[0]?.body)).toEqual(expected);
  expect(partsOf((await rows())[0]?.request_body)).toEqual(expected);
  // The same message again is the same message: nothing is copied twice.
  expect((await send(body)).status).toBe(200);
  expect(uploads()).toHaveLength(1);
  expect(messages()).toHaveLength(1);
});

it("KF4: a part of A2A 1.0 is copied as well", async () => {
  const body = withFiles([], "m2");
  const part = { url: "workspace:/workspace/a.txt", filename: "a.txt", mediaType: "text/plain" };
  const { message } = body.params;
  await send({ ...body, params: { message: { ...message, parts: [...message.parts, part] } } });
  expect(String(uploads()[0]?.body.text)).toContain("Content-Type: text/plain");
  expect(partsOf(messages()[0]?.body)).toEqual([{ ...part, url: copyOf("a.txt").uri }]);
});

it.each([
  ["is not there", "workspace:/workspace/none.txt", 400, "none.txt"],
  ["belongs to the platform", "workspace:/configs/.auth_token", 400, ".auth_token"],
  ["is outside", "workspace:/etc/passwd", 400, "passwd"],
  ["has half a character", "workspace:/workspace/\ud800.txt", 400, "no text"],
  ["is kept for another", `platform:/workspaces/${"1".repeat(8)}`, 400, "1"],
])("KF4: nothing is sent when a file %s", async (_why, uri, status, word) => {
  const response = await send(withFiles(["workspace:/workspace/a.txt", uri]));
  expect(response.status).toBe(status);
  const { error, next } = (await response.json()) as { error: string; next: string };
  expect(error).toContain(word);
  expect(next).toContain("Nothing was sent");
  expect(messages()).toHaveLength(0);
  expect(await rows()).toHaveLength(0);
});

it("KF4: nothing is sent when the receiver does not take a file, and its reason is told", async () => {
  refusal = { status: 413, error: "a.txt is larger than 25 MB." };
  const response = await send(withFiles(["workspace:/workspace/a.txt"]));
  expect(response.status).toBe(413);
  expect(((await response.json()) as { error: string }).error).toContain("a.txt is larger");
  expect(messages()).toHaveLength(0);
  expect(await rows()).toHaveLength(0);
});

it("KF4: nothing is read or copied between agents that may not speak", async () => {
  const child = await api.createWorkspace({ name: "Child", parent_id: to });
  const asked = await send(
    withFiles(["workspace:/workspace/a.txt"]),
    from,
    await api.tokenOf(child),
  );
  expect(asked.status).toBe(403);
  expect(sender.calls).toHaveLength(0);
});

it("KF4: an agent that polls gives and gets files through what the platform keeps", async () => {
  const far = async (name: string) => {
    const created = await api.call("POST", "/workspaces", { body: { name, external: true } });
    const { id, connection } = (await created.json()) as {
      id: string;
      connection: { auth_token: string };
    };
    return { id, token: connection.auth_token };
  };
  const [giver, taker] = [await far("Giver"), await far("Taker")];
  const form =
    '--b0\r\nContent-Disposition: form-data; name="files"; filename="own.txt"\r\n\r\nmy own\r\n--b0--\r\n';
  const uploaded = await api.call("POST", `/workspaces/${giver.id}/chat/uploads`, {
    body: form,
    headers: { "content-type": "multipart/form-data; boundary=b0" },
    token: giver.token,
  });
  const [own] = ((await uploaded.json()) as { files: { uri: string }[] }).files;
  const body = withFiles([own?.uri ?? ""], "m3");
  expect((await send(body, to, giver.token)).status).toBe(200);
  expect(String(uploads()[0]?.body.text)).toContain("\r\n\r\nmy own\r\n");
  expect((await send(withFiles([own?.uri ?? ""]), taker.id, giver.token)).status).toBe(200);
  const list = await api.call("GET", `/workspaces/${taker.id}/activity?since_secs=60`, {
    token: taker.token,
  });
  const [row] = (await list.json()) as { request_body: unknown }[];
  const [part] = partsOf(row?.request_body) as { file: { uri: string; size: number } }[];
  expect(part?.file).toMatchObject({ uri: expect.stringContaining(taker.id), size: 6 });
  const got = await api.call("GET", part?.file.uri.slice("platform:".length) ?? "", {
    token: taker.token,
  });
  expect(await got.text()).toBe("my own");
});

it("KF4: a delegation takes its files along, and fails with the file's name when it cannot", async () => {
  const file = { uri: "workspace:/workspace/a.txt", name: "a.txt" };
  const delegate = (attachments: unknown) =>
    api.call("POST", `/workspaces/${from}/delegate`, {
      body: { target_id: to, task: "read it", attachments },
      token,
    });
  expect((await delegate([file])).status).toBe(202);
  expect(partsOf(messages()[0]?.body)).toEqual([{ kind: "file", file: copyOf("a.txt") }]);
  await delegate([file, { uri: "workspace:/workspace/none.txt", name: "none.txt" }]);
  const list = await api.call("GET", `/workspaces/${from}/delegations`, { token });
  expect(await list.json()).toMatchObject([
    { status: "failed", error: expect.stringContaining("none.txt") },
    {},
  ]);
  expect(messages()).toHaveLength(1);
});

describe("a receiver that is not there", () => {
  const kept = () => api.test.sql`SELECT name FROM kept_files WHERE workspace_id = ${to}`;
  const starts = () =>
    api.test.sql`UPDATE workspaces SET phase = 'BOOTING', deadline_at = cp_now() WHERE id = ${to}`;
  const comesUp = async () => {
    await api.test.sql`UPDATE workspaces SET phase = 'READY', deadline_at = NULL WHERE id = ${to}`;
    await api.test.sql`UPDATE a2a_queue SET next_action_at = cp_now() WHERE workspace_id = ${to}`;
  };
  const ended = (status: string) =>
    waitUntil(`the message is ${status}`, async () => {
      const [row] = await rows();
      return row?.status === status ? row : null;
    });

  it("KF6: gets a message with its files when it is, though the sender has them no more", async () => {
    await starts();
    const body = withFiles(["workspace:/workspace/a.txt", "workspace:/workspace/b c.csv"], "later");
    const response = await send(body);
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ queued: true, queue_depth: 1, position: 1 });
    expect((await send(body)).status).toBe(202);
    expect(await kept()).toHaveLength(2);
    files = {};
    expect(receiver.calls).toHaveLength(0);
    await comesUp();
    const row = await ended("ok");
    expect(uploads()).toHaveLength(1);
    expect(String(uploads()[0]?.body.text)).toContain("\r\n\r\nfirst file\r\n");
    const expected = ["a.txt", "b c.csv"].map((name) => ({ kind: "file", file: copyOf(name) }));
    expect(messages()).toHaveLength(1);
    expect(partsOf(messages()[0]?.body)).toEqual(expected);
    expect(partsOf(row.request_body)).toEqual(expected);
    expect(await kept()).toHaveLength(0);
    expect((await send(body)).status).toBe(200);
    expect(messages()).toHaveLength(1);
  });

  it("KF6: is woken by it and gets it once it is awake", async () => {
    await api.test
      .sql`UPDATE workspaces SET intent = 'hibernated', phase = 'PAUSED' WHERE id = ${to}`;
    const missing = await send(withFiles(["workspace:/workspace/none.txt"]));
    expect(missing.status).toBe(400);
    const [asleep] = await api.test.sql`SELECT intent FROM workspaces WHERE id = ${to}`;
    expect(asleep?.intent).toBe("hibernated");
    const response = await send(withFiles(["workspace:/workspace/a.txt"], "dawn"));
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ waking: true, queued: true });
    await comesUp();
    await ended("ok");
    expect(partsOf(messages()[0]?.body)).toEqual([{ kind: "file", file: copyOf("a.txt") }]);
  });

  it("KF6: gets it also when it went away a moment ago", async () => {
    await receiver.close();
    const response = await send(withFiles(["workspace:/workspace/a.txt"]));
    expect(response.status).toBe(202);
    await receiver.reopen();
    await comesUp();
    await ended("ok");
    expect(uploads()).toHaveLength(1);
    expect(messages()).toHaveLength(1);
  });

  it("KF6: that does not take a file is told nothing, and the sender's task says which", async () => {
    await starts();
    const attachments = [{ uri: "workspace:/workspace/a.txt", name: "a.txt" }];
    const given = await api.call("POST", `/workspaces/${from}/delegate`, {
      body: { target_id: to, task: "read it", attachments },
      token,
    });
    expect(given.status).toBe(202);
    refusal = { status: 413, error: "a.txt is larger than 25 MB." };
    await comesUp();
    const row = await ended("error");
    expect(row.error_detail).toContain("a.txt is larger");
    expect(messages()).toHaveLength(0);
    const list = await api.call("GET", `/workspaces/${from}/delegations`, { token });
    expect(await list.json()).toMatchObject([
      { status: "failed", error: expect.stringContaining("a.txt is larger") },
    ]);
  });

  it("KF6: whose upload fails gets both when it works again, and the message once", async () => {
    await starts();
    await send(withFiles(["workspace:/workspace/a.txt"]));
    refusal = { status: 500, error: "no space" };
    await comesUp();
    await waitUntil("it was tried", () => uploads().length > 0);
    await waitUntil("it waits again", async () => (await rows())[0]?.status === "queued");
    expect(messages()).toHaveLength(0);
    refusal = null;
    await waitUntil("it is delivered", async () => {
      await api.test.sql`UPDATE a2a_queue SET next_action_at = cp_now()
        WHERE workspace_id = ${to} AND status = 'queued'`;
      return messages().length > 0;
    });
    await ended("ok");
    expect(messages()).toHaveLength(1);
  });
});
