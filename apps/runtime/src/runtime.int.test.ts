import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { waitUntil } from "@molecule/testing/wait-until";
import { describe, expect, it } from "vitest";
import {
  answerText,
  type CallResult,
  type RuntimeFixture,
  startFixture,
  statusText,
} from "./runtime.fixture.ts";

const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` });

function post(fixture: RuntimeFixture, body: unknown, headers: Record<string, string> = {}) {
  return fetch(fixture.url, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...bearer(fixture.platform.inboundSecret),
      ...headers,
    },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
}

describe("a runtime and its platform", () => {
  it("registers with its token and beats at once, with bodies of the contract", async () => {
    await using fixture = await startFixture({ configYaml: "name: Ann\ndescription: Notes\n" });
    const { platform } = fixture;
    await waitUntil("the first beat", () => platform.beats.length > 0);
    expect(platform.registrations).toMatchObject([
      { url: fixture.url, agent_card: { name: "Ann", description: "Notes", url: fixture.url } },
    ]);
    expect(platform.beats[0]).toMatchObject({ active_tasks: 0, uptime_seconds: 0 });
    expect(platform.problems).toEqual([]);
  });

  it("IN2 its agent runs with what the operator tells, after its own instructions", async () => {
    const ask = "Which settings and instructions are you running with?";
    await using both = await startFixture({ instructions: "Be brief.\n", told: "Never guess." });
    expect(answerText(await both.say(ask))).toContain("Instructions: Be brief.");
    await using told = await startFixture({ told: "Never guess." });
    expect(answerText(await told.say(ask))).toContain("Instructions: Never guess.");
    expect(told.logLines.filter((line) => line.includes("gave no instructions"))).toEqual([]);
  });

  it("beats when a turn begins and ends, with what it is doing", async () => {
    await using fixture = await startFixture();
    await fixture.say("list files");
    const { beats } = fixture.platform;
    await waitUntil("the idle beat", () => beats.at(-1)?.current_task === "");
    expect(beats.some((beat) => beat.active_tasks === 1 && beat.current_task !== "")).toBe(true);
    expect(beats.at(-1)?.active_tasks).toBe(0);
    expect(fixture.platform.problems).toEqual([]);
  });

  it("reads its token again after a 401 and goes on beating", async () => {
    await using fixture = await startFixture();
    const { platform } = fixture;
    await waitUntil("the first beat", () => platform.beats.length > 0);
    platform.token = "wst_token-of-the-next-attempt-000000000000000000000";
    await writeFile(path.join(fixture.configDir, ".auth_token"), platform.token);
    const before = platform.beats.length;
    await fixture.say("help");
    await waitUntil("a beat with the new token", () => platform.beats.length > before);
  });

  it("registers as soon as the platform accepts it, however often it failed", async () => {
    await using fixture = await startFixture({
      env: { PLATFORM_URL: "http://127.0.0.1:9" },
    });
    await waitUntil(
      "two failures",
      () => fixture.logLines.filter((line) => line.includes("could not register")).length >= 2,
    );
    expect(await health(fixture)).toMatchObject({ status: "ok" });
  });

  it("stores the credentials of the register answer, readable by itself only", async () => {
    await using fixture = await startFixture();
    const { platform } = fixture;
    platform.inboundSecret = "another-inbound-secret-000000000000000000000";
    await fixture.say("help").catch(() => undefined);
    await waitUntil("the new secret is stored", async () => {
      const file = path.join(fixture.configDir, ".platform_inbound_secret");
      return (await readFile(file, "utf8")) === platform.inboundSecret;
    });
    const file = path.join(fixture.configDir, ".platform_inbound_secret");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  it.each([
    [409, "superseded"],
    [410, "removed"],
  ] as const)("takes a %i as being %s, and stops beating", async (status, why) => {
    await using fixture = await startFixture();
    const { platform } = fixture;
    await waitUntil("the first beat", () => platform.beats.length > 0);
    let refused = 0;
    platform.onLifeSign = () => {
      refused += 1;
      return { status, body: { error: "no", superseded: true } };
    };
    await fixture.say("help");
    await waitUntil("the dismissal", () => fixture.dismissals.length > 0);
    expect(fixture.dismissals).toEqual([why]);
    await fixture.say("help");
    expect(refused).toBe(1);
  });

  it("says goodbye with an idle beat when it is stopped in the middle of a turn", async () => {
    const fixture = await startFixture();
    const turn = fixture.say("count slowly to 100");
    const { beats } = fixture.platform;
    await waitUntil("the turn", () => beats.some((beat) => beat.active_tasks === 1));
    await fixture.runtime.stop();
    expect((await turn).status?.state).toBe("canceled");
    expect(beats.at(-1)).toMatchObject({ active_tasks: 0, current_task: "" });
    await fixture[Symbol.asyncDispose]();
  });

  it("writes no credential into its log", async () => {
    await using fixture = await startFixture({ env: { SOME_API_KEY: "very-secret-value-1" } });
    await fixture.say("help");
    const all = fixture.logLines.join("");
    for (const secret of [fixture.platform.token, fixture.platform.inboundSecret, "very-secret"]) {
      expect(all).not.toContain(secret);
    }
    for (const line of fixture.logLines) expect(() => JSON.parse(line)).not.toThrow();
  });
});

describe("a runtime as an A2A agent", () => {
  it("refuses whoever does not bring the platform's secret", async () => {
    await using fixture = await startFixture();
    for (const header of [
      "",
      "Bearer ",
      "Bearer wrong",
      `bearer ${fixture.platform.inboundSecret}`,
    ]) {
      const answer = await post(fixture, { jsonrpc: "2.0" }, { authorization: header });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toMatchObject({ error: expect.any(String) });
    }
  });

  it("serves its card on both paths and its health without a secret", async () => {
    await using fixture = await startFixture();
    for (const name of ["agent-card.json", "agent.json"]) {
      const card = await fetch(`${fixture.url}/.well-known/${name}`);
      expect(await card.json()).toMatchObject({ name: "Ann", url: fixture.url });
    }
    expect(await health(fixture)).toMatchObject({ status: "ok", adapter: "demo", attempt: 7 });
  });

  it.each([
    [
      "type instead of kind",
      { messageId: "m1", role: "user", parts: [{ type: "text", text: "help" }] },
    ],
    ["no message id", { role: "user", parts: [{ kind: "text", text: "help" }] }],
    ["no role", { messageId: "m2", parts: [{ kind: "text", text: "help" }] }],
    ["bare text", { parts: [{ text: "help" }] }],
  ])("accepts the older shape with %s", async (_, message) => {
    await using fixture = await startFixture();
    const result = await fixture.call("message/send", { message });
    expect(result.status?.state).toBe("completed");
    expect(answerText(result)).toContain("I understand");
    expect(result.artifacts?.[0]?.parts).toHaveLength(1);
  });

  it("accepts a call without jsonrpc and a call of the 1.0 protocol", async () => {
    await using fixture = await startFixture();
    const params = { message: { parts: [{ kind: "text", text: "help" }] } };
    const bare = await post(fixture, { method: "message/send", params });
    expect(await bare.json()).toMatchObject({ result: { status: { state: "completed" } } });
    const message = { messageId: "m", role: "ROLE_USER", parts: [{ text: "help" }] };
    const modern = await post(
      fixture,
      { jsonrpc: "2.0", id: 1, method: "SendMessage", params: { message } },
      { "a2a-version": "1.0" },
    );
    expect(await modern.json()).toMatchObject({
      result: { task: { status: { state: "TASK_STATE_COMPLETED" } } },
    });
  });

  it.each([
    ["no JSON", "{", 400],
    ["a message of 3 MB", JSON.stringify({ x: "y".repeat(3 * 1024 * 1024) }), 413],
  ])("answers %s with a status and a sentence", async (_, body, status) => {
    await using fixture = await startFixture();
    const answer = await post(fixture, body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: expect.any(String) });
  });

  it("streams the answer in pieces that join to the whole, and ends with final", async () => {
    await using fixture = await startFixture();
    const events: CallResult[] = [];
    for await (const event of fixture.stream("who are you")) events.push(event);
    expect(events[0]).toMatchObject({ kind: "task", status: { state: "submitted" } });
    expect(events.at(-1)).toMatchObject({ final: true, status: { state: "completed" } });
    const pieces = events.flatMap((event) => event.artifact?.parts ?? []);
    expect(pieces.length).toBeGreaterThan(3);
    const task = await fixture.call("tasks/get", { id: events[0]?.id });
    expect(pieces.map((part) => part.text).join("")).toBe(answerText(task));
    expect(task.artifacts?.[0]?.parts).toHaveLength(1);
  });

  it("finishes a turn whose client hung up", async () => {
    await using fixture = await startFixture();
    let taskId: string | undefined;
    for await (const event of fixture.stream("count slowly to 3")) {
      taskId ??= event.id;
      if (event.kind === "artifact-update") break;
    }
    await waitUntil("the task is done", async () => {
      const task = await fixture.call("tasks/get", { id: taskId });
      return task.status?.state === "completed" && answerText(task) === "1 2 3";
    });
  });

  it("cancels a running turn and one that still waits for it", async () => {
    await using fixture = await startFixture();
    const first = fixture.stream("count slowly to 100", "same");
    const firstTask = (await first.next()).value as CallResult;
    const second = fixture.stream("count slowly to 100", "same");
    const secondTask = (await second.next()).value as CallResult;
    const waiting = await fixture.call("tasks/cancel", { id: secondTask.id });
    expect(waiting.status?.state).toBe("canceled");
    const running = await fixture.call("tasks/cancel", { id: firstTask.id });
    expect(running.status?.state).toBe("canceled");
    for (const stream of [first, second]) {
      let last: CallResult | undefined;
      for await (const event of stream) last = event;
      expect(last?.status?.state).toBe("canceled");
      expect(statusText(last ?? {})).toContain("cancelled");
    }
  });

  it("runs one turn at a time per conversation, and as many conversations as the platform sends", async () => {
    await using fixture = await startFixture({
      configYaml: "name: Ann\nmax_concurrent_tasks: 2\n",
    });
    const turns = ["a", "a", "b", "c"].map((context) => fixture.say("count to 2", context));
    await waitUntil("three run", async () => (await health(fixture)).active_tasks === 3);
    const done = await Promise.all(turns);
    expect(done.map((task) => task.status?.state)).toEqual(Array(4).fill("completed"));
    expect(Math.max(...fixture.platform.beats.map((beat) => beat.active_tasks ?? 0))).toBe(3);
  });

  it("delegates through the platform under its own name", async () => {
    await using fixture = await startFixture();
    fixture.platform.peers = [{ id: "peer-2", name: "Bob", status: "online", role: "Singer" }];
    expect(answerText(await fixture.say("who are my peers"))).toContain("Bob: Singer");
    expect(answerText(await fixture.say("delegate to Bob: sing"))).toContain("done: sing");
    expect(fixture.platform.a2aCalls).toMatchObject([
      { targetId: "peer-2", callerId: "11111111-1111-4111-8111-111111111111", text: "sing" },
    ]);
    expect(answerText(await fixture.say("delegate to Carl: sing"))).toContain("no agent called");
  });
});

describe("the upload route", () => {
  const upload = (fixture: RuntimeFixture, form: FormData, secret?: string) =>
    fetch(`${fixture.url}/internal/chat/uploads/ingest`, {
      method: "POST",
      headers: bearer(secret ?? fixture.platform.inboundSecret),
      body: form,
    });
  const stored = (fixture: RuntimeFixture) =>
    readdir(path.join(fixture.workspaceDir, ".molecule/chat-uploads")).catch(() => []);

  it("stores files under safe names and answers where they are", async () => {
    await using fixture = await startFixture();
    const form = new FormData();
    form.append("files", new Blob(["one"], { type: "text/csv" }), "../my data.csv");
    form.append("files", new Blob(["three"]), "..");
    form.append("note", "ignored");
    const answer = await upload(fixture, form);
    expect(answer.status).toBe(200);
    const { files } = (await answer.json()) as { files: { uri: string }[] };
    expect(files).toMatchObject([
      { name: "my_data.csv", mimeType: "text/csv", size: 3 },
      { name: "file", size: 5 },
    ]);
    for (const { uri } of files) {
      expect(uri).toMatch(/^workspace:\/workspace\/\.molecule\/chat-uploads\/[0-9a-f]{32}-/);
      const relative = uri.replace("workspace:/workspace/", "");
      const { mode } = await stat(path.join(fixture.workspaceDir, relative));
      expect(mode & 0o777).toBe(0o600);
    }
  });

  it("refuses a wrong secret, and everything while there is no secret", async () => {
    await using fixture = await startFixture();
    const form = () => {
      const made = new FormData();
      made.append("files", new Blob(["x"]), "x");
      return made;
    };
    expect((await upload(fixture, form(), "wrong")).status).toBe(401);
    await waitUntil("registered", () => fixture.platform.beats.length > 0);
    const file = path.join(fixture.configDir, ".platform_inbound_secret");
    await writeFile(file, "");
    expect((await upload(fixture, form(), "")).status).toBe(401);
    expect(await stored(fixture)).toEqual([]);
  });

  it("refuses a file above 25 MB by name and keeps nothing of the request", async () => {
    await using fixture = await startFixture();
    const form = new FormData();
    form.append("files", new Blob(["small"]), "small.txt");
    form.append("files", new Blob([new Uint8Array(25 * 1024 * 1024 + 1)]), "big.bin");
    const answer = await upload(fixture, form);
    expect(answer.status).toBe(413);
    expect(await answer.text()).toContain("big.bin");
    expect(await stored(fixture)).toEqual([]);
  });

  it("refuses more than 50 MB together and more than 64 files", async () => {
    await using fixture = await startFixture();
    const heavy = new FormData();
    for (const name of ["a", "b", "c"]) {
      heavy.append("files", new Blob([new Uint8Array(17 * 1024 * 1024)]), name);
    }
    expect(
      await upload(fixture, heavy).then(
        (answer) => answer.status,
        () => 413,
      ),
    ).toBe(413);
    const many = new FormData();
    for (let n = 0; n < 65; n += 1) many.append("files", new Blob(["x"]), `f${n}`);
    expect((await upload(fixture, many)).status).toBe(413);
    expect(await stored(fixture)).toEqual([]);
  });

  it.each([
    ["no files", () => new FormData()],
    [
      "other fields only",
      () => {
        const form = new FormData();
        form.append("note", "x");
        return form;
      },
    ],
  ])("refuses a form with %s", async (_, make) => {
    await using fixture = await startFixture();
    expect((await upload(fixture, make())).status).toBe(400);
  });

  it("refuses a body that is no form", async () => {
    await using fixture = await startFixture();
    const answer = await fetch(`${fixture.url}/internal/chat/uploads/ingest`, {
      method: "POST",
      headers: { ...bearer(fixture.platform.inboundSecret), "content-type": "text/plain" },
      body: "x",
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: expect.any(String) });
  });
});

describe("the file route", () => {
  const read = (fixture: RuntimeFixture, wanted: string) =>
    fetch(`${fixture.url}/internal/file/read?path=${encodeURIComponent(wanted)}`, {
      headers: bearer(fixture.platform.inboundSecret),
    });

  it("answers the bytes of a file with a name a header can carry", async () => {
    await using fixture = await startFixture();
    await writeFile(path.join(fixture.workspaceDir, 'plän "1".md'), "hello");
    const answer = await read(fixture, '/workspace/plän "1".md');
    expect(answer.status).toBe(200);
    expect(await answer.text()).toBe("hello");
    expect(answer.headers.get("content-length")).toBe("5");
    expect(answer.headers.get("content-disposition")).toBe(
      `attachment; filename="pl_n 1.md"; filename*=UTF-8''pl%C3%A4n%20%221%22.md`,
    );
  });

  it.each([
    ["/etc/passwd", 400],
    ["/workspace/../configs/config.yaml", 400],
    ["/workspace", 400],
    ["workspace/x", 400],
    ["", 400],
    ["/configs/.auth_token", 400],
    ["/workspace/missing.md", 404],
  ])("answers %j with %i", async (wanted, status) => {
    await using fixture = await startFixture();
    const answer = await read(fixture, wanted);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: expect.any(String) });
  });
});

async function health(fixture: RuntimeFixture): Promise<Record<string, unknown>> {
  return (await (await fetch(`${fixture.url}/health`)).json()) as Record<string, unknown>;
}
