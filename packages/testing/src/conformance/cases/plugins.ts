import { type ConformanceCase, del, get, on, post, rowOf } from "../case.ts";
import { array, bool, including, like, listOf, object, someText, text } from "../shape.ts";

const refused = { error: someText };
const P = "/workspaces/{freshManaged}/plugins";
const row = (line: number) => rowOf("§12", line);
const manifest = {
  name: someText,
  version: text,
  description: text,
  author: text,
  tags: array,
  skills: array,
  runtimes: array,
};
/** The first plugin that the server offers, installed in an agent of its own. */
const installed = [
  on(get("/plugins"), 200, array, { save: { plugin: "0.name" } }),
  on(post(P, { source: "local://{plugin}" }), 200, {
    status: "installed",
    plugin: "{plugin}",
    source: "local://{plugin}",
  }),
] as const;

/** Plugins. Source: wire contract §12. */
export const pluginCases: readonly ConformanceCase[] = [
  row(543)("what is offered", on(get("/plugins"), 200, including(manifest))),
  row(543)("for one runtime", on(get("/plugins?runtime=demo"), 200, listOf(manifest))),
  row(544)("the schemes", on(get("/plugins/sources"), 200, { schemes: ["github", "local"] })),
  row(545)("nothing is installed", on(get(P), 200, [])),
  row(545)(
    "what is installed",
    ...installed,
    on(
      get(P, "freshManaged"),
      200,
      including({ ...manifest, name: "{plugin}", supported_on_runtime: bool }),
    ),
  ),
  row(546)(
    "what fits its runtime",
    on(get(`${P}/available`, "freshManaged"), 200, listOf(manifest)),
  ),
  row(547)(
    "what fits another",
    ...installed,
    on(get(`${P}/compatibility?runtime=codex`), 200, {
      target_runtime: "codex",
      compatible: array,
      incompatible: array,
      all_compatible: bool,
    }),
  ),
  row(547)("without a runtime", on(get(`${P}/compatibility`), 400, refused)),
  row(548)("installed", ...installed),
  row(548)(
    "by its bare name",
    on(get("/plugins"), 200, array, { save: { plugin: "0.name" } }),
    on(post(P, { source: "{plugin}" }), 200, { status: "installed", source: "local://{plugin}" }),
  ),
  row(548)(
    "by its own bearer",
    on(get("/plugins"), 200, array, { save: { plugin: "0.name" } }),
    on(post(P, { source: "{plugin}" }, "freshManaged"), 200),
  ),
  row(548)(
    "twice",
    ...installed,
    on(post(P, { source: "{plugin}" }), 200, { status: "installed" }),
  ),
  ...["", "../etc/passwd", "local://", "ftp://x", "github://acme", "github://acme/x#../y"].map(
    (source) =>
      row(548)(
        `the source ${JSON.stringify(source)}`,
        on(post(P, { source }), 400, { ...refused, available_schemes: listOf(someText) }),
      ),
  ),
  row(548)("no source", on(post(P, {}), 400, refused)),
  row(548)("no body", on(post(P, "[]"), 400, refused)),
  row(548)("an unknown one", on(post(P, { source: "local://none-of-ours" }), 404, refused)),
  row(548)("GitHub without a pin", on(post(P, { source: "github://acme/tools" }), 422, refused)),
  row(548)(
    "another content",
    on(get("/plugins"), 200, array, { save: { plugin: "0.name" } }),
    on(post(P, { source: "{plugin}", sha256: "0".repeat(64) }), 422, refused),
    on(get(P), 200, []),
  ),
  row(548)("a body that is too large", on(post(P, { source: "x".repeat(70_000) }), 413, refused)),
  row(548)("another's bearer", on(post(P, { source: "x" }, "lead"), 401, refused)),
  row(549)(
    "uninstalled",
    ...installed,
    on(del(`${P}/{plugin}`), 200, { status: "uninstalled", plugin: "{plugin}" }),
    on(get(P), 200, []),
  ),
  row(549)("one that is not there", on(del(`${P}/none`), 404, refused)),
  row(549)("a name with a separator", on(del(`${P}/..%2Fx`), 400, refused)),
  row(550)(
    "as an archive",
    ...installed,
    on(get(`${P}/{plugin}/download`, "freshManaged"), 200, undefined, {
      headers: {
        "content-type": like(/gzip/),
        "x-plugin-name": "{plugin}",
        "x-plugin-source": "local://{plugin}",
      },
    }),
  ),
  row(552)(
    "it is in its folder",
    ...installed,
    on(get("/workspaces/{freshManaged}/files?path=plugins/{plugin}"), 200, including(object)),
  ),
];
