import { trimKeptFiles } from "@molecule/db/files/kept-files";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { message } from "../../a2a/test-agent.fixture.ts";
import { createTestApi, type TestApi } from "../../api.fixture.ts";

/** What creating an external workspace answers. */
interface External {
  readonly id: string;
  readonly connection: { readonly auth_token: string };
}

let api: TestApi;
let id: string;
let token: string;

beforeAll(async () => {
  api = await createTestApi();
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
});
beforeEach(async () => {
  const body = { name: "Far", external: true };
  const created = (await (await api.call("POST", "/workspaces", { body })).json()) as External;
  id = created.id;
  token = created.connection.auth_token;
});

interface Named {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly type?: string;
}

/** A form as bytes, with its boundary. */
function form(files: readonly Named[], field = "files") {
  const parts = files.flatMap(({ name, bytes, type = "text/plain" }) => [
    Buffer.from(
      `--b0\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\nContent-Type: ${type}\r\n\r\n`,
    ),
    Buffer.from(bytes),
    Buffer.from("\r\n"),
  ]);
  return Buffer.concat([...parts, Buffer.from("--b0--\r\n")]);
}
const send = (body: Uint8Array, headers: Record<string, string> = {}) =>
  api.call("POST", `/workspaces/${id}/chat/uploads`, {
    body,
    headers: { "content-type": "multipart/form-data; boundary=b0", ...headers },
  });
const upload = async (...files: Named[]) => {
  const response = await send(form(files));
  expect(response.status).toBe(200);
  return ((await response.json()) as { files: { uri: string; name: string }[] }).files;
};
const text = (name: string, content: string): Named => ({ name, bytes: Buffer.from(content) });
/** As a client does that knows only its platform's address. */
const fetchIt = (uri: string, headers: Record<string, string> = {}, as: string | null = token) =>
  api.call("GET", uri.replace(/^platform:/, ""), { headers, token: as });
const kept = async () => {
  const [row] = await api.test.sql`SELECT
    (SELECT count(*)::int FROM kept_files WHERE workspace_id = ${id}) AS files,
    (SELECT count(*)::int FROM kept_file_chunks c JOIN kept_files f ON f.id = c.file_id
      WHERE f.workspace_id = ${id}) AS chunks`;
  return row;
};

describe("an upload for an agent that polls", () => {
  it("KF2: is kept whole, offered with the message and fetched by its workspace alone", async () => {
    const large = Buffer.alloc(700_000, "0123456789");
    const files = await upload(text("my notes.md", "# Notes\n"), {
      name: "large.bin",
      bytes: large,
      type: "application/x-thing",
    });
    expect(files).toEqual([
      {
        uri: expect.stringMatching(new RegExp(`^platform:/workspaces/${id}/chat/uploads/[\\w-]+$`)),
        name: "my_notes.md",
        mimeType: "text/plain",
        size: 8,
      },
      expect.objectContaining({
        name: "large.bin",
        mimeType: "application/x-thing",
        size: 700_000,
      }),
    ]);
    const asked = message("look at these", "with-files");
    const parts = [...asked.params.message.parts, ...files.map((file) => ({ kind: "file", file }))];
    const body = { ...asked, params: { message: { ...asked.params.message, parts } } };
    expect((await api.call("POST", `/workspaces/${id}/a2a`, { body })).status).toBe(200);
    const list = await api.call("GET", `/workspaces/${id}/activity?since_secs=60`, { token });
    const [row] = (await list.json()) as { request_body: typeof body }[];
    expect(row?.request_body.params.message.parts).toEqual(parts);
    const [notes, thing] = files;
    const got = await fetchIt(notes?.uri ?? "");
    expect(got.headers.get("content-disposition")).toContain('filename="my_notes.md"');
    expect(got.headers.get("content-security-policy")).toContain("sandbox");
    expect(await got.text()).toBe("# Notes\n");
    const bytes = Buffer.from(await (await fetchIt(thing?.uri ?? "")).arrayBuffer());
    expect(bytes.equals(large)).toBe(true);
    const other = await api.tokenOf(await api.createWorkspace({ name: "Other" }));
    for (const wrong of [null, other]) {
      expect((await fetchIt(notes?.uri ?? "", {}, wrong)).status).toBe(401);
    }
  });

  it("KF3: is found under no other workspace, and through the download of a chat as well", async () => {
    const [file] = await upload(text("a.txt", "mine"));
    const uri = file?.uri ?? "";
    const path = encodeURIComponent(uri);
    const through = await api.call("GET", `/workspaces/${id}/chat/download?path=${path}`);
    expect(await through.text()).toBe("mine");
    const other = await api.createWorkspace({ name: "Other" });
    expect((await api.call("GET", uri.slice(9).replace(id, other))).status).toBe(404);
    const elsewhere = await api.call("GET", `/workspaces/${other}/chat/download?path=${path}`);
    expect(elsewhere.status).toBe(400);
    expect((await fetchIt(`/workspaces/${id}/chat/uploads/nonsense`)).status).toBe(404);
  });

  it("KF5: is handed out in parts, over the borders of what is stored", async () => {
    const whole = Buffer.from(Array.from({ length: 600_000 }, (_, n) => n % 251));
    const [file] = await upload({ name: "n.bin", bytes: whole });
    const uri = file?.uri ?? "";
    for (const [range, first, last] of [
      ["bytes=0-9", 0, 9],
      ["bytes=262000-263000", 262_000, 263_000],
      ["bytes=262144-262144", 262_144, 262_144],
      ["bytes=599990-", 599_990, 599_999],
      ["bytes=-5", 599_995, 599_999],
    ] as const) {
      const part = await fetchIt(uri, { range });
      expect(part.status).toBe(206);
      expect(part.headers.get("content-range")).toBe(`bytes ${first}-${last}/600000`);
      const bytes = Buffer.from(await part.arrayBuffer());
      expect(bytes.equals(whole.subarray(first, last + 1)), range).toBe(true);
    }
    const beyond = await fetchIt(uri, { range: "bytes=600000-" });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get("content-range")).toBe("bytes */600000");
  });

  it.each([
    ["one file over 25 MB", () => form([text("ok.txt", "x"), big(26)]), 413, "big.bin"],
    ["no file in it", () => form([text("a.txt", "x")], "other"), 400, "no files"],
    ["its end missing", () => form([text("a.txt", "x")]).subarray(0, -12), 400, "cut off"],
    ["too many files", () => form(Array.from({ length: 65 }, () => text("a", "x"))), 413, "64"],
  ])("KF2: with %s is refused, and nothing of it is kept", async (_name, body, status, word) => {
    const response = await send(body());
    expect(response.status).toBe(status);
    expect(((await response.json()) as { error: string }).error).toContain(word);
    expect(await kept()).toEqual({ files: 0, chunks: 0 });
  });

  it("KF2: is refused before a byte is read when it says that it is larger than 50 MB", async () => {
    const response = await send(form([text("a.txt", "x")]), { "content-length": "52428801" });
    expect(response.status).toBe(413);
    expect(((await response.json()) as { error: string }).error).toContain("50 MB");
  });

  it("KF2: goes after a week, and what broke off with its server after an hour", async () => {
    const [file] = await upload(text("a.txt", "x"));
    await api.test.sql`INSERT INTO kept_files (workspace_id, name, mime_type, expires_at)
      VALUES (${id}, 'half', 'text/plain', cp_now() + interval '1 hour')`;
    expect(await trimKeptFiles(api.test.db)).toBe(0);
    await api.test.setSkewMs(2 * 3_600_000);
    expect(await trimKeptFiles(api.test.db)).toBe(1);
    expect((await fetchIt(file?.uri ?? "")).status).toBe(200);
    await api.test.setSkewMs(7 * 86_400_000 + 1000);
    expect((await fetchIt(file?.uri ?? "")).status).toBe(404);
    await trimKeptFiles(api.test.db);
    expect(await kept()).toEqual({ files: 0, chunks: 0 });
    await api.test.setSkewMs(0);
  });

  it("KF2: is refused when too much is kept already", async () => {
    await api.test.sql`INSERT INTO kept_files (workspace_id, name, mime_type, size, expires_at)
      VALUES (${id}, 'much', 'text/plain', 524288000, cp_now() + interval '1 hour')`;
    const response = await send(form([text("a.txt", "x")]));
    expect(response.status).toBe(413);
    expect(((await response.json()) as { error: string }).error).toContain("No more files");
  });
});

it("an agent that can neither be dialled nor polls is 422 with the detail", async () => {
  await api.test.sql`UPDATE workspaces SET delivery_mode = 'push' WHERE id = ${id}`;
  const response = await send(form([text("a.txt", "x")]));
  expect(response.status).toBe(422);
  expect(await response.json()).toEqual({
    error: expect.stringContaining("Far"),
    detail: expect.stringContaining("delivery_mode"),
  });
});

function big(megabytes: number): Named {
  return { name: "big.bin", bytes: Buffer.alloc(megabytes * 1024 * 1024) };
}
