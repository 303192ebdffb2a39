import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { waitUntil } from "@molecule/testing/wait-until";
import { afterAll, beforeAll, expect, it } from "vitest";
import { message } from "../../../packages/api/src/a2a/test-agent.fixture.ts";
import { TEST_ADMIN_TOKEN } from "../../../packages/api/src/api.fixture.ts";
import { type Far, type McpBed, openMcpBed, type ToolClient } from "./mcp-bed.fixture.ts";

let bed: McpBed;
let far: Far;
let tools: ToolClient;
beforeAll(async () => {
  bed = await openMcpBed();
  far = await bed.create("Hermit");
  tools = await bed.connect(far.env);
  await waitUntil("it is online", async () => {
    const row = (await (await bed.api.call("GET", `/workspaces/${far.id}`)).json()) as {
      status: string;
    };
    return row.status === "online";
  });
});
afterAll(() => bed[Symbol.asyncDispose]());

const messageIds = async () =>
  [...(await tools.call("inbox_peek")).text.matchAll(/^message (\S+) from/gm)].map(
    ([, id]) => id ?? "",
  );

it("KF3: fetches a file that a person sent, with its own token, and nothing from anywhere else", async () => {
  const form = new FormData();
  form.append("files", new Blob(["a,b\n"], { type: "text/csv" }), "table.csv");
  const sent = await fetch(`${bed.url}/workspaces/${far.id}/chat/uploads`, {
    method: "POST",
    headers: { authorization: `Bearer ${TEST_ADMIN_TOKEN}` },
    body: form,
  });
  const { files } = (await sent.json()) as { files: { uri: string; name: string }[] };
  const asked = message("read this");
  const parts = [...asked.params.message.parts, ...files.map((file) => ({ kind: "file", file }))];
  await bed.api.call("POST", `/workspaces/${far.id}/a2a`, {
    body: { ...asked, params: { message: { ...asked.params.message, parts } } },
  });
  const shown = (await tools.call("inbox_peek")).text;
  const [, name, uri] = /file (\S+) \(text\/csv\), for fetch_file: (\S+)/.exec(shown) ?? [];
  expect(name).toBe("table.csv");
  const fetched = await tools.call("fetch_file", { uri, name });
  expect(fetched.isError).toBe(false);
  const [, place = ""] = /^(\S+) \(4 bytes\)$/.exec(fetched.text) ?? [];
  expect(await readFile(place, "utf8")).toBe("a,b\n");
  for (const other of [
    "https://example.com/steal",
    uri?.replace(far.id, "11111111-1111-4111-8111-111111111111"),
    uri?.replace(/[0-9a-f]{12}$/, "000000000000"),
  ]) {
    expect(await tools.call("fetch_file", { uri: other })).toMatchObject({ isError: true });
  }
  expect(await readdir(path.join(far.configsDir, "files"))).toHaveLength(1);
  const [id] = await messageIds();
  expect(await tools.call("inbox_pop", { message_id: id, answer: "four bytes" })).toMatchObject({
    isError: false,
  });
  const notices = await bed.api.test.sql`SELECT response_body FROM activity
    WHERE workspace_id = ${far.id} AND method = 'notify'`;
  expect(notices.map((row) => row.response_body)).toEqual([{ result: "four bytes" }]);
});

it("DG6: ends the task of another agent with its answer", async () => {
  const boss = await bed.api.createWorkspace({ name: "Boss" });
  const token = await bed.api.tokenOf(boss);
  await bed.api.call("POST", `/workspaces/${boss}/delegate`, {
    body: { target_id: far.id, task: "count" },
    token,
  });
  const [id] = await messageIds();
  expect((await tools.call("inbox_pop", { message_id: id, answer: "seven" })).isError).toBe(false);
  const list = await bed.api.call("GET", `/workspaces/${boss}/delegations`, { token });
  expect(await list.json()).toMatchObject([{ status: "completed", response_preview: "seven" }]);
  expect(await messageIds()).toEqual([]);
});
