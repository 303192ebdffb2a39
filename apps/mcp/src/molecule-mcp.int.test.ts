import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { connectWorkspace } from "@molecule/runtime-sdk";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  message,
  runAt,
  saying,
  startTestAgent,
} from "../../../packages/api/src/a2a/test-agent.fixture.ts";
import { type Far, type McpBed, openMcpBed } from "./mcp-bed.fixture.ts";

describe("molecule-mcp, built, over stdio, against a real platform", () => {
  let bed: McpBed;
  beforeAll(async () => {
    bed = await openMcpBed();
  });
  afterAll(() => bed[Symbol.asyncDispose]());

  const rowOf = async (far: Far) =>
    (await (await bed.api.call("GET", `/workspaces/${far.id}`)).json()) as Record<string, unknown>;
  const online = (far: Far) =>
    waitUntil("it is online", async () => (await rowOf(far)).status === "online");
  const send = (far: Far, text: string, more: { token?: string; id?: string } = {}) =>
    bed.api.call("POST", `/workspaces/${far.id}/a2a`, {
      body: message(text, more.id),
      ...(more.token === undefined ? {} : { token: more.token }),
    });
  /** Ends without ever having served: its exit code and what it told people. */
  const ending = async (env: Record<string, string>) => {
    const child = spawn(process.execPath, [bed.program], {
      env,
      stdio: ["pipe", "ignore", "pipe"],
    });
    let told = "";
    child.stderr.on("data", (chunk) => {
      told += String(chunk);
    });
    const [code] = await once(child, "exit");
    return { code, told };
  };

  it("registers as an agent that polls, beats, and offers its tools", async () => {
    const far = await bed.create("Laptop");
    const { client, call } = await bed.connect({
      ...far.env,
      MOLECULE_AGENT_NAME: "Laptop",
      MOLECULE_AGENT_SKILLS: "code, review",
    });
    await online(far);
    expect((await rowOf(far)).agent_card).toMatchObject({
      name: "Laptop",
      skills: [{ id: "code" }, { id: "review" }],
    });
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toEqual([
      "list_peers",
      "get_workspace_info",
      "delegate_task",
      "check_task_status",
      "send_message_to_user",
      "chat_history",
      "commit_memory",
      "recall_memory",
      "request_approval",
      "check_approval",
      "wait_for_message",
      "inbox_peek",
      "inbox_pop",
      "fetch_file",
    ]);
    const info = await call("get_workspace_info");
    expect(JSON.parse(info.text)).toMatchObject({ id: far.id, name: "Laptop", status: "online" });
  });

  it("gives a task to a peer, waits for it or looks later, and names who is not known", async () => {
    const far = await bed.create("Boss");
    const { call } = await bed.connect(far.env);
    await using peer = await startTestAgent();
    const near = await bed.api.createWorkspace({ name: "Singer", role: "sings" });
    await runAt(bed.api, near, peer.address);
    expect((await call("list_peers", { query: "singer" })).text).toContain("Singer: sings");
    expect(await call("delegate_task", { peer: "Singer", task: "sing" })).toEqual({
      text: "hello",
      isError: false,
    });
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    peer.behave(async (asked, res, req) => {
      await released;
      await saying("late")(asked, res, req);
    });
    const later = await call("delegate_task", { peer: near, task: "again", wait_seconds: 0 });
    const task_id = /task id is ([\w-]+)/.exec(later.text)?.[1];
    expect((await call("check_task_status", { task_id })).text).toContain(task_id);
    release();
    expect((await call("check_task_status", { task_id, wait_seconds: 30 })).text).toBe("late");
    expect(peer.calls).toHaveLength(2);
    expect(await call("check_task_status", { task_id: "none" })).toMatchObject({ isError: true });
    const nobody = await call("delegate_task", { peer: "Nobody", task: "x" });
    expect(nobody).toMatchObject({ isError: true, text: expect.stringContaining("Nobody") });
    expect((await call("chat_history", { peer: "Singer" })).text).toMatch(
      /you: sing[\s\S]*Singer: hello/,
    );
  });

  it("remembers for itself and for its team, and says who may not", async () => {
    const far = await bed.create("Elder");
    const child = await bed.api.createWorkspace({ name: "Child", parent_id: far.id });
    const { call } = await bed.connect(far.env);
    const kept = await call("commit_memory", { content: "Ada drinks tea" });
    expect(kept).toEqual({
      text: expect.stringMatching(/^Remembered \(LOCAL, id /),
      isError: false,
    });
    const token = await bed.api.tokenOf(child);
    const asChild = (scope: string) =>
      bed.api.call("POST", `/workspaces/${child}/memories`, {
        token,
        body: { content: `Bob drinks tea (${scope})`, scope },
      });
    expect((await asChild("TEAM")).status).toBe(201);
    expect((await asChild("LOCAL")).status).toBe(201);
    const found = (await call("recall_memory", { query: "tea" })).text;
    expect(found).toMatch(/\[LOCAL, yours, general, .*\]\nAda drinks tea/);
    expect(found).toContain(`[TEAM, of agent ${child}, general, `);
    expect(found).not.toContain("(LOCAL)");
    expect(found.match(/drinks tea/g)).toHaveLength(2);
    expect((await call("recall_memory", { query: "coffee" })).text).toContain("Nothing");
    const wrong = await call("commit_memory", { content: "x", scope: "UNIVERSE" });
    expect(wrong.isError).toBe(true);
  });

  it("asks a person, waits for the answer or looks later", async () => {
    const far = await bed.create("Careful");
    const { call } = await bed.connect(far.env);
    const decide = (id: string, decision: string) =>
      bed.api.call("POST", `/workspaces/${far.id}/approvals/${id}/decide`, {
        body: { decision, decided_by: "Ada" },
      });
    const later = await call("request_approval", { action: "deploy", wait_seconds: 0 });
    const approval_id = /request id is ([\w-]+)/.exec(later.text)?.[1] ?? "";
    expect((await call("check_approval", { approval_id })).text).toContain("Nobody has answered");
    expect((await decide(approval_id, "approved")).status).toBe(200);
    expect((await call("check_approval", { approval_id })).text).toBe("Approved by Ada.");
    const waiting = call("request_approval", { action: "delete", wait_seconds: 30 });
    const second = await waitUntil("it is asked", async () => {
      const rows = await bed.api.test.sql`
        SELECT id FROM approvals WHERE workspace_id = ${far.id} AND state = 'pending'`;
      return rows[0]?.id as string | undefined;
    });
    await decide(second, "denied");
    expect((await waiting).text).toBe("Denied by Ada. Do not do it.");
    expect((await call("check_approval", { approval_id: "x" })).text).toContain("no request x");
  });

  it("keeps messages in its inbox until they are done, over restarts too", async () => {
    const far = await bed.create("Hermit");
    const first = await bed.connect(far.env);
    await online(far);
    const friend = await bed.api.createWorkspace({ name: "Friend" });
    const waiting = first.call("wait_for_message", { timeout_seconds: 30 });
    expect((await send(far, "one")).status).toBe(200);
    expect((await waiting).text).toMatch(/from the person .*send_message_to_user.*:\none/);
    await send(far, "two", { token: await bed.api.tokenOf(friend) });
    await send(far, "three");
    const ids = async (client: typeof first) =>
      [...(await client.call("inbox_peek")).text.matchAll(/^message (\S+) from/gm)].map(
        ([, id]) => id ?? "",
      );
    const [one = "", two = "", three = ""] = await ids(first);
    expect((await first.call("inbox_peek")).text).toContain(
      `the agent Friend (id ${friend}; answer with inbox_pop)`,
    );
    await first.call("send_message_to_user", { message: "I heard you" });
    expect((await first.call("inbox_pop", { message_id: two })).isError).toBe(false);
    await first.client.close();
    const second = await bed.connect(far.env);
    expect(await ids(second)).toEqual([one, three]);
    await second.call("inbox_pop", { message_id: one });
    await second.client.close();
    const third = await bed.connect(far.env);
    expect(await ids(third)).toEqual([three]);
    expect((await third.call("inbox_pop", { message_id: one })).isError).toBe(true);
    await third.call("inbox_pop", { message_id: three });
    expect((await third.call("wait_for_message", { timeout_seconds: 0 })).text).toBe(
      "No message came.",
    );
    expect((await third.call("chat_history")).text).toMatch(
      /person: one[\s\S]*person: three[\s\S]*you: I heard you/,
    );
  });

  it("shows files to the person with their types, all or none", async () => {
    const far = await bed.create("Painter");
    const { env, configsDir: folder, token, id } = far;
    const workspace = await connectWorkspace({
      platformUrl: bed.url,
      workspaceId: id,
      token,
      folder,
    });
    const agent = await workspace.serve({ card: { name: "Painter" }, agent: async () => "ok" });
    try {
      await online(far);
      const { call, client } = await bed.connect({ ...env, MOLECULE_MCP_DISABLE_HEARTBEAT: "1" });
      // Another process takes the messages, so there is no inbox here.
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).not.toContain("wait_for_message");
      const picture = path.join(folder, "picture");
      const table = path.join(folder, "a table.csv");
      await writeFile(picture, Buffer.from("89504e470d0a1a0a00", "hex"));
      await writeFile(table, "a,b\n");
      const attachments = [picture, table];
      expect((await call("send_message_to_user", { message: "look", attachments })).text).toContain(
        "with picture, a_table.csv",
      );
      const notices = () => bed.api.test.sql`SELECT response_body FROM activity
        WHERE workspace_id = ${id} AND method = 'notify'`;
      expect((await notices())[0]?.response_body).toMatchObject({
        result: "look",
        parts: [
          { file: { name: "picture", mimeType: "image/png", size: 9 } },
          { file: { name: "a_table.csv", mimeType: "text/csv", size: 4 } },
        ],
      });
      const missing = path.join(folder, "missing.pdf");
      const refused = await call("send_message_to_user", {
        message: "and this",
        attachments: [table, missing],
      });
      expect(refused.isError).toBe(true);
      expect(refused.text).toContain(`${missing} could not be sent: it does not exist.`);
      expect(await notices()).toHaveLength(1);
    } finally {
      await agent.stop();
    }
  });

  it("names a file that the other side refuses", async () => {
    const far = await bed.create("Stubborn");
    const { env, configsDir: folder, token, id } = far;
    const workspace = await connectWorkspace({
      platformUrl: bed.url,
      workspaceId: id,
      token,
      folder,
    });
    const card = { name: "Stubborn" };
    const agent = await workspace.serve({ card, roots: {}, agent: async () => "ok" });
    try {
      await online(far);
      const { call } = await bed.connect({ ...env, MOLECULE_MCP_DISABLE_HEARTBEAT: "1" });
      const file = path.join(folder, "notes.md");
      await writeFile(file, "x");
      expect(await call("send_message_to_user", { message: "x", attachments: [file] })).toEqual({
        isError: true,
        text: "notes.md could not be sent: This agent takes no files. The message was not sent.",
      });
    } finally {
      await agent.stop();
    }
  });

  it("tells a revoked token from a removed workspace, each with its next step", async () => {
    const far = await bed.create("Short");
    // Without beats, which count as refusals too.
    const { call } = await bed.connect({ ...far.env, MOLECULE_MCP_DISABLE_HEARTBEAT: "1" });
    const listed = await bed.api.call("GET", `/workspaces/${far.id}/tokens`);
    const { tokens } = (await listed.json()) as { tokens: { id: string }[] };
    for (const token of tokens) {
      await bed.api.call("DELETE", `/workspaces/${far.id}/tokens/${token.id}`);
    }
    for (const _ of [1, 2]) {
      expect((await call("list_peers")).text).toContain("Try again in a few seconds");
    }
    const third = await call("list_peers");
    expect(third.isError).toBe(true);
    expect(third.text).toContain(
      `/workspaces/${far.id}/tokens, put it into MOLECULE_WORKSPACE_TOKEN`,
    );
    await bed.api.call("DELETE", `/workspaces/${far.id}?confirm=true`);
    expect((await call("list_peers")).text).toContain("was removed from the platform (410)");
  });

  it("ends with code 3 and the reason when its register is refused", async () => {
    const far = await bed.create("Wrong");
    const wrong = await ending({ ...far.env, MOLECULE_WORKSPACE_TOKEN: "wst_wrong" });
    expect(wrong.code).toBe(3);
    expect(wrong.told).toContain("does not accept the token");
    const nobody = "11111111-1111-4111-8111-111111111111";
    const unknown = await ending({ ...far.env, WORKSPACE_ID: nobody });
    expect(unknown.code).toBe(3);
    expect(unknown.told).toContain(`knows no workspace ${nobody} (404)`);
  });

  it("stays and explains when the workspace was removed before it started", async () => {
    const far = await bed.create("Gone");
    await bed.api.call("DELETE", `/workspaces/${far.id}?confirm=true`);
    const { call, told } = await bed.connect(far.env);
    await waitUntil("people are told", () => told().includes("was removed"));
    expect((await call("list_peers")).text).toContain("was removed from the platform (410)");
  });

  it("takes its token from the file, and says which variable is missing", async () => {
    const far = await bed.create("Filed");
    await mkdir(far.configsDir, { recursive: true });
    await writeFile(path.join(far.configsDir, ".auth_token"), `${far.token}\n`);
    const { call } = await bed.connect({ ...far.env, MOLECULE_WORKSPACE_TOKEN: "" });
    expect((await call("list_peers")).isError).toBe(false);
    const { code, told } = await ending({ ...far.env, PLATFORM_URL: "" });
    expect({ code, told }).toEqual({
      code: 1,
      told: "molecule-mcp: The variable PLATFORM_URL is missing.\n",
    });
  });
});
