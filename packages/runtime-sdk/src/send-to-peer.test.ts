import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type FakeA2aCall, FakePlatform } from "@molecule/testing/fake-platform";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { credentialFiles } from "./credential-files.ts";
import { type PlatformClient, platformClient } from "./platform-client.ts";
import { sendToPeer } from "./send-to-peer.ts";

const ME = "11111111-1111-4111-8111-111111111111";
const PEER = "22222222-2222-4222-8222-222222222222";

describe("a message to a peer", () => {
  let platform: FakePlatform;
  let folder: string;
  let client: PlatformClient;
  beforeEach(async () => {
    platform = await FakePlatform.start();
    folder = await mkdtemp(path.join(tmpdir(), "molecule-sdk-"));
    const credentials = credentialFiles({ folder, fixedToken: platform.token });
    client = platformClient({ platformUrl: platform.url, workspaceId: ME, credentials });
  });
  afterEach(async () => {
    await platform.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const send = (deadlineMs = 10_000, signal?: AbortSignal) =>
    sendToPeer(client, { targetId: PEER, text: "sing", deadlineMs, signal });

  it("is answered with the peer's text, sent under the sender's id", async () => {
    expect(await send()).toEqual({ kind: "answered", text: "done: sing", isError: false });
    expect(platform.a2aCalls).toMatchObject([{ targetId: PEER, callerId: ME, text: "sing" }]);
  });

  it("is sent again under the same id when the connection breaks", async () => {
    const answer = platform.onA2a;
    platform.onA2a = (call) => (platform.a2aCalls.length < 3 ? undefined : answer(call));
    expect(await send()).toMatchObject({ kind: "answered" });
    expect(new Set(platform.a2aCalls.map(({ messageId }) => messageId)).size).toBe(1);
    expect(platform.a2aCalls).toHaveLength(3);
  });

  it("waits for a target that restarts", async () => {
    const answer = platform.onA2a;
    platform.onA2a = (call) =>
      platform.a2aCalls.length === 1
        ? { status: 503, body: { error: "x", restarting: true, retry_after: 0 } }
        : answer(call);
    expect(await send()).toMatchObject({ kind: "answered" });
  });

  it("that was queued is followed on the activity log until it was answered", async () => {
    platform.onA2a = (call) => {
      platform.activity = [row(call, "queued"), row({ ...call, messageId: "other" }, "ok")];
      setTimeout(() => {
        platform.activity = [row(call, "ok")];
      }, 100);
      return { status: 202, body: { queued: true, queue_id: "q", queue_depth: 1, message: "x" } };
    };
    expect(await send()).toEqual({ kind: "answered", text: "late", isError: false });
  });

  it("that nobody answers in time is reported as pending, not as done", async () => {
    platform.onA2a = () => ({ status: 202, body: { queued: true } });
    expect(await send(300)).toMatchObject({ kind: "pending" });
  });

  it.each([
    [403, { error: "not allowed" }, "not allowed"],
    [404, { error: "unknown" }, "unknown"],
    [502, "nonsense", "The platform answered 502."],
    [200, { unknown: true }, "could not be understood"],
  ])("that is refused with %i is not repeated", async (status, body, sentence) => {
    platform.onA2a = () => ({ status, body });
    const outcome = await send();
    expect(outcome).toMatchObject({ kind: "refused", status });
    expect(JSON.stringify(outcome)).toContain(sentence);
    expect(platform.a2aCalls).toHaveLength(1);
  });

  it("ends when it is cancelled", async () => {
    const controller = new AbortController();
    platform.onA2a = () => {
      controller.abort();
      return { status: 503, body: { error: "x", restarting: true } };
    };
    expect(await send(10_000, controller.signal)).toEqual({ kind: "cancelled" });
  });

  function row(call: FakeA2aCall, status: string) {
    return {
      id: "a",
      activity_type: "a2a_send",
      status,
      target_id: PEER,
      request_body: { params: { message: { messageId: call.messageId } } },
      response_body: { result: { parts: [{ kind: "text", text: "late" }] } },
    };
  }
});
