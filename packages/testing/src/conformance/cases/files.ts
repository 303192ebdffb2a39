import { type ConformanceCase, del, get, on, patch, post, put, rowOf } from "../case.ts";
import {
  absent,
  array,
  including,
  int,
  like,
  listOf,
  not,
  object,
  oneOf,
  type Shape,
  someText,
  text,
} from "../shape.ts";

const refused = { error: someText };

/** A form with one file, whose name chooses how the suite's agent answers. */
function form(name: string | null, field = "files"): FormData {
  const data = new FormData();
  if (name === null) data.set("note", "no file here");
  else data.set(field, new Blob(["hello"], { type: "text/plain" }), name);
  return data;
}

const upload = (id: string, body: unknown, as: string | null = "admin") =>
  post(`/workspaces/{${id}}/chat/uploads`, body, as);
const up = (line: number) => rowOf("§9.1", line);
const uploads = [
  up(438)(
    "one file",
    on(upload("push-echo", form("a.txt")), 200, {
      files: [{ uri: like(/^workspace:/), name: "a.txt", mimeType: text, size: int }],
    }),
  ),
  up(438)("what is no form", on(upload("push-echo", { a: 1 }), [400, 415], refused)),
  up(438)(
    "no body",
    on(
      { method: "POST", path: "/workspaces/{push-echo}/chat/uploads", as: "admin" },
      [400, 415],
      refused,
    ),
  ),
  up(439)(
    "its own token may upload as well",
    on(upload("push-echo", form("b.txt"), "push-echo"), 200, { files: [object] }),
  ),
  up(439)(
    "the bearer of the platform goes to the agent, never the caller's",
    on(upload("push-echo", form("c.txt")), 200),
    on(get("{agent}/_calls?path=/internal/chat/uploads/ingest", null), 200, {
      calls: listOf({
        headers: {
          authorization: like(/^Bearer [\w-]{43}$/),
          "content-type": like(/^multipart\/form-data; boundary=/),
        },
      }),
    }),
  ),
  up(440)(
    "the workspace's 413 is passed back",
    on(upload("push-echo", form("too-big.bin")), 413, { error: like(/too-big\.bin/) }),
  ),
  up(440)(
    "the workspace's 500 is passed back",
    on(upload("push-echo", form("no-folder.bin")), 500, { error: "x", errno: 30, path: "/" }),
  ),
  up(440)(
    "the workspace's 400 is passed back",
    on(upload("push-echo", form(null)), 400, { error: "no files in the form" }),
  ),
  up(441)(
    "an id that is no UUID",
    on(post("/workspaces/x/chat/uploads", form("a.txt")), 400, refused),
  ),
  up(442)("an unknown workspace", on(upload("unknown", form("a.txt")), 404, refused)),
  up(442)("a removed one", on(upload("removed", form("a.txt")), [404, 410], refused)),
  up(443)(
    "poll mode: kept for the agent, or 422 with detail",
    on(
      upload("fresh", form("a.txt")),
      [200, 422],
      oneOf({ files: array }, { error: someText, detail: someText }),
    ),
  ),
  up(443)(
    "an agent that has never said where it is",
    on(upload("freshAwaited", form("a.txt")), [200, 422, 503], object),
  ),
  up(444)(
    "a paused workspace",
    on(post("/workspaces/{freshManaged}/pause", {}), 200),
    on(upload("freshManaged", form("a.txt")), 503, refused),
  ),
  rowOf("§2.2", 51)(
    "POST /workspaces/:id/chat/uploads without a bearer",
    on(upload("lead", form("a.txt"), null), 401, refused),
  ),
  rowOf("§2.2", 51)(
    "POST /workspaces/:id/chat/uploads with another workspace's bearer",
    on(upload("lead", form("a.txt"), "other"), 401, refused),
  ),
];

const download = (path: string, id = "push-echo", as = "admin") =>
  get(`/workspaces/{${id}}/chat/download?path=${encodeURIComponent(path)}`, as);
const down = (line: number) => rowOf("§9.3", line);
const downloads = [
  down(466)("no path", on(get("/workspaces/{push-echo}/chat/download"), 400, refused)),
  ...[
    "a.txt",
    "/etc/passwd",
    "/workspace/../etc/passwd",
    "/workspace//a",
    "/workspace/./a",
    "/tmp/x",
    "/",
  ].map((path) => down(466)(`${path} is 400`, on(download(path), 400, refused))),
  ...["/workspace", "/configs", "/home", "/plugins"].map((root) =>
    down(466)(`below ${root}`, on(download(`${root}/folder-x/a.txt`), 200)),
  ),
  down(468)(
    "bytes with their headers",
    on(download("/workspace/a.txt"), 200, "hello", {
      headers: {
        "content-type": like(/^text\/plain/),
        "content-disposition": like(/^attachment; filename="a\.txt"; filename\*=UTF-8''a\.txt$/),
      },
    }),
  ),
  down(468)(
    "a name outside ASCII",
    on(download("/workspace/Grüße.txt"), 200, "hello", {
      headers: { "content-disposition": like(/filename\*=UTF-8''Gr%C3%BC%C3%9Fe\.txt/) },
    }),
  ),
  down(468)(
    "no quotes and line ends in the header",
    on(download('/workspace/a"b.txt'), [200, 400], undefined, {
      headers: { "content-disposition": oneOf(absent, not(like(/a"b/))) },
    }),
  ),
  down(469)("what is not there", on(download("/workspace/missing.txt"), 404, refused)),
  down(469)("what is no regular file", on(download("/workspace/folder"), 400, refused)),
  down(469)(
    "another's bearer",
    on(download("/workspace/a.txt", "push-echo", "lead"), 401, refused),
  ),
  down(469)("an unknown workspace", on(download("/workspace/a.txt", "unknown"), 404, refused)),
];

const list = rowOf("§9.4", 476);
const read = rowOf("§9.4", 477);
const write = rowOf("§9.4", 478);
const remove = rowOf("§9.4", 479);
const replace = rowOf("§9.4", 480);
const shared = rowOf("§9.4", 481);
const roots = rowOf("§9.4", 472);
const F = "/workspaces/{freshManaged}/files";
const saved = on(put(`${F}/notes/a.txt`, { content: "one" }), 200, {
  status: "saved",
  path: "notes/a.txt",
});
const files: readonly ConformanceCase[] = [
  roots("/configs is the default", on(get(F), 200, array)),
  roots("another root", on(get(`${F}?root=/etc`), 400, refused)),
  roots("a root with ..", on(get(`${F}?root=/configs/..`), 400, refused)),
  ...["%2Fetc%2Fpasswd", "..%2Fa", "a%2F..%2F..%2Fb", "."].map((path) =>
    roots(`the path ${path}`, on(put(`${F}/${path}`, { content: "x" }), [400, 404], refused)),
  ),
  list(
    "what was written",
    saved,
    on(get(`${F}?path=notes`), 200, including({ path: "a.txt", size: 3, dir: false })),
  ),
  list("folders", saved, on(get(F), 200, including({ path: "notes", dir: true }))),
  list("deeper", saved, on(get(`${F}?depth=5`), 200, including({ path: "notes/a.txt" }))),
  ...["0", "6", "many"].map((depth) =>
    list(`depth ${depth}`, on(get(`${F}?depth=${depth}`), 400, refused)),
  ),
  list("404 for an unknown workspace", on(get("/workspaces/{unknown}/files"), 404, refused)),
  list(
    "what git and package managers leave is hidden",
    on(
      put(F, { files: { ".git/config": "x", "node_modules/a/i.js": "x", "b.txt": "x" } }),
      [200, 400],
    ),
    on(get(`${F}?depth=5`), 200, not(including({ path: like(/^(\.git|node_modules)/) }))),
  ),
  read(
    "path, content, size",
    saved,
    on(get(`${F}/notes/a.txt`), 200, { path: "notes/a.txt", content: "one", size: 3 }),
  ),
  read("404", on(get(`${F}/no-such-file.txt`), 404, refused)),
  write("its answer", saved),
  write(
    "the new content",
    saved,
    on(put(`${F}/notes/a.txt`, { content: "two" }), 200),
    on(get(`${F}/notes/a.txt`), 200, { content: "two" }),
  ),
  write(
    "an empty file",
    on(put(`${F}/empty.txt`, { content: "" }), 200),
    on(get(`${F}/empty.txt`), 200, { content: "", size: 0 }),
  ),
  write("no content", on(put(`${F}/a.txt`, {}), 400, refused)),
  write("content that is no text", on(put(`${F}/a.txt`, { content: 5 }), 400, refused)),
  write(
    "404 for an unknown workspace",
    on(put("/workspaces/{unknown}/files/a.txt", { content: "x" }), 404, refused),
  ),
  write(
    "the platform's own files are closed",
    on(put(`${F}/.auth_token`, { content: "x" }), [400, 403, 404], refused),
  ),
  read(
    "the platform's own files are not read",
    on(get(`${F}/.auth_token`), [400, 403, 404], refused),
  ),
  remove(
    "its answer",
    saved,
    on(del(`${F}/notes/a.txt`), 200, { status: "deleted", path: "notes/a.txt" }),
    on(get(`${F}/notes/a.txt`), 404),
  ),
  replace(
    "its answer",
    on(put(F, { files: { "a.txt": "1", "b/c.txt": "2" } }), 200, {
      status: "replaced",
      workspace: "{freshManaged}",
      files: int,
      source: oneOf("container", "volume", "template", "ec2-ssh"),
    }),
    on(get(`${F}/b/c.txt`), 200, { content: "2" }),
  ),
  replace(
    "more than 200",
    on(
      put(F, {
        files: Object.fromEntries(Array.from({ length: 201 }, (_, at) => [`f${at}.txt`, "x"])),
      }),
      [400, 413],
      refused,
    ),
  ),
  replace("a path outside", on(put(F, { files: { "../x": "y" } }), 400, refused)),
  replace("no files", on(put(F, {}), 400, refused)),
  shared(
    "without any: an empty list",
    on(get("/workspaces/{freshManaged}/shared-context"), 200, array),
  ),
  shared(
    "a child may read its parent's",
    on(get("/workspaces/{lead}/shared-context", "member"), 200, array),
  ),
  shared(
    "a stranger may not",
    on(get("/workspaces/{lead}/shared-context", "stranger"), [401, 403], refused),
  ),
];

const config = rowOf("§9.5", 488);
const bundle = rowOf("§9.5", 490);
const C = "/workspaces/{freshManaged}/config";
const configs = [
  config("none is an empty object", on(get(C), 200, { data: object })),
  config(
    "a shallow merge",
    on(patch(C, { a: 1, b: { c: 1 } }), 200, { status: "updated" }),
    on(patch(C, { b: { d: 2 } }), 200),
    on(get(C), 200, { data: { a: 1, b: { c: absent, d: 2 } } }),
  ),
  config("what is no object", on(patch(C, "[1]"), 400, refused)),
  config("more than 256 KiB", on(patch(C, { big: "x".repeat(300_000) }), 413, refused)),
  config("404 for an unknown workspace", on(get("/workspaces/{unknown}/config"), 404, refused)),
  ...(
    [
      "version",
      "desired",
      "effective",
      "model",
      "provider",
      "config",
      "files",
      "secrets",
      "parts",
    ] as const
  ).map((part) =>
    bundle(
      `it has ${part}`,
      on(get("/workspaces/{freshManaged}/config-bundle"), 200, { [part]: not(absent) }),
    ),
  ),
  bundle(
    "ETag is the version",
    on(
      get("/workspaces/{freshManaged}/config-bundle"),
      200,
      {},
      { headers: { etag: like(/^"?\w+"?$/) } },
    ),
  ),
  bundle(
    "no value of a secret",
    on(put("/workspaces/{freshManaged}/secrets", { key: "A_KEY", value: "very-secret" }), 200),
    on(get("/workspaces/{freshManaged}/config-bundle"), 200, {
      secrets: including({ key: "A_KEY", scope: "workspace", has_value: true, value: absent }),
    } satisfies Shape),
  ),
];

export const fileCases: readonly ConformanceCase[] = [
  ...uploads,
  ...downloads,
  ...files,
  ...configs,
];
