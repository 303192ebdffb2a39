import { request } from "node:http";
import { connect } from "node:net";
import { waitUntil } from "@molecule/testing/wait-until";
import { beforeAll, expect, it } from "vitest";
import { TEST_ADMIN_TOKEN, TEST_HOST } from "../api.fixture.ts";
import { startApi } from "../start-api.ts";
import { openProxyBed } from "./proxy-bed.fixture.ts";
import { startDispatcher } from "./start-dispatcher.ts";
import { message, saying } from "./test-agent.fixture.ts";

const bed = openProxyBed();
const { rows, items, ended } = bed;
let base: string;
beforeAll(async () => {
  base = await bed.api.listen();
});

const headers = {
  authorization: `Bearer ${TEST_ADMIN_TOKEN}`,
  "content-type": "application/json",
};
/** Begins a send and closes its socket when `isTime`, whatever has come by then. */
const sendAndLeave = async (body: object, isTime: () => boolean | Promise<boolean>) => {
  const req = request(`${base}/workspaces/${bed.id}/a2a`, { method: "POST", headers });
  req.on("error", () => undefined);
  req.on("response", (res) => res.resume().on("error", () => undefined));
  req.end(JSON.stringify(body));
  await waitUntil("it is time to leave", isTime);
  req.destroy();
};
const send = async (body: object) => {
  const response = await fetch(`${base}/workspaces/${bed.id}/a2a`, {
    method: "POST",
    headers,
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
};
/** The agent answers when the returned function is called, and never sooner. */
const held = () => {
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  bed.agent.behave(async (call, res, req) => {
    await gate;
    await saying("once")(call, res, req);
  });
  return release;
};

it("a sender that leaves and sends again, at any point, has the work done once", async () => {
  const release = held();
  const body = message("hi", "again");
  const isAt = (status: string) => async () => (await items())[0]?.status === status;
  await sendAndLeave(body, isAt("dispatched"));
  await sendAndLeave(body, () => bed.agent.calls.length === 1);
  for (let n = 0; n < 5; n += 1) await sendAndLeave(body, () => true);
  release();
  await ended("ok");
  await sendAndLeave(body, () => true);
  const last = await send(body);
  expect(last).toMatchObject({ status: 200, body: { result: { parts: [{ text: "once" }] } } });
  expect(bed.agent.calls).toHaveLength(1);
  expect(await rows()).toHaveLength(1);
});

it("a message that broke off half sent is not done, and is when it comes whole", async () => {
  const url = new URL(base);
  const text = JSON.stringify(message("hi", "half"));
  const socket = connect(Number(url.port), url.hostname);
  socket.on("error", () => undefined);
  const head = [
    `POST /workspaces/${bed.id}/a2a HTTP/1.1`,
    `Host: ${url.host}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${text.length}`,
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n${text.slice(0, -10)}`);
  await waitUntil("the half is sent", () => socket.bytesWritten > text.length);
  socket.destroy();
  expect((await send(message("hi", "half"))).status).toBe(200);
  expect(bed.agent.calls).toHaveLength(1);
  expect(await rows()).toHaveLength(1);
});

it("a message that comes to two servers at once is done once, and both answer alike", async () => {
  const { db, log, cipher } = bed.api.deps;
  const options = { db, log, cipher, allowCidrs: [], a2aIdleTimeoutMs: 20_000, pollMs: 50 };
  const dispatcher = startDispatcher(options);
  const second = await startApi({ ...bed.api.deps, dispatcher }, async () => null);
  const release = held();
  const body = message("hi", "both");
  const first = send(body);
  const other = second.answer(
    new Request(`http://${TEST_HOST}/workspaces/${bed.id}/a2a`, {
      method: "POST",
      headers: { host: TEST_HOST, ...headers },
      body: JSON.stringify(body),
    }),
    { ip: "192.0.2.1" },
  );
  await waitUntil("the agent has it", () => bed.agent.calls.length === 1);
  release();
  expect((await first).body).toEqual(await (await other).json());
  expect(bed.agent.calls).toHaveLength(1);
  expect(await rows()).toHaveLength(1);
  await second.stop();
  await dispatcher.stop(0);
});

it("a stream whose reader leaves is worked on to its end, once", async () => {
  const release = held();
  const body = message("hi", "stream", "message/stream");
  await sendAndLeave(body, () => bed.agent.calls.length === 1);
  release();
  await ended("ok");
  expect((await items())[0]).toMatchObject({ status: "completed", lease_owner: null });
  expect(bed.agent.calls).toHaveLength(1);
});
