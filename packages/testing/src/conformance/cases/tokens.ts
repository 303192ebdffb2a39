import { type ConformanceCase, del, get, on, post, rowOf } from "../case.ts";
import {
  array,
  atLeast,
  including,
  not,
  ofLength,
  orNull,
  someText,
  text,
  time,
  token43,
} from "../shape.ts";

const refused = { error: someText };
const list = rowOf("§14", 583);
const mint = rowOf("§14", 584);
const revoke = rowOf("§14", 585);
const testToken = rowOf("§14", 586);
const T = "/workspaces/{fresh}/tokens";
const minted = on(post(T, {}), 201, {
  auth_token: token43,
  workspace_id: "{fresh}",
  message: someText,
});
const tokens = [
  list(
    "its fields",
    on(get(T), 200, {
      tokens: including({
        id: someText,
        prefix: text,
        created_at: time,
        last_used_at: orNull(time),
      }),
      count: atLeast(1),
    }),
  ),
  list("a limit", minted, minted, on(get(`${T}?limit=1`), 200, { tokens: ofLength(1), count: 1 })),
  list("an offset", minted, on(get(`${T}?offset=1`), 200, { tokens: ofLength(1) })),
  list("a limit over 200 is no error", on(get(`${T}?limit=999`), 200, { tokens: array })),
  list("its own token may read", on(get(T, "fresh"), 200, { tokens: array })),
  list(
    "live ones only",
    minted,
    on(get(T), 200, {}, { save: { tokenId: "tokens.0.id" } }),
    on(del(`${T}/{tokenId}`), 200),
    on(get(T), 200, { tokens: not(including({ id: "{tokenId}" })) }),
  ),
  mint("its answer", minted),
  mint(
    "it is valid at once",
    on(post(T, {}), 201, {}, { save: { token: "auth_token" } }),
    on(get("/workspaces/{fresh}/state", "token"), 200),
  ),
  mint("its own token may mint", on(post(T, {}, "fresh"), 201, { auth_token: token43 })),
  mint("404 for an unknown workspace", on(post("/workspaces/{unknown}/tokens", {}), 404, refused)),
  mint(
    "429 at 50 live ones",
    ...Array.from({ length: 49 }, () => on(post(T, {}), 201)),
    on(post(T, {}), 429, refused),
  ),
  revoke(
    "its answer",
    minted,
    on(get(T), 200, {}, { save: { tokenId: "tokens.0.id" } }),
    on(del(`${T}/{tokenId}`), 200, { status: "revoked" }),
  ),
  revoke("404 for an unknown token", on(del(`${T}/{unknown}`), 404, refused)),
  revoke("404 for text that is no id", on(del(`${T}/x`), [400, 404], refused)),
  revoke(
    "another workspace's token is not found",
    on(get(T), 200, {}, { save: { tokenId: "tokens.0.id" } }),
    on(del("/workspaces/{fresh2}/tokens/{tokenId}"), 404, refused),
  ),
  revoke(
    "404 the second time",
    minted,
    on(get(T), 200, {}, { save: { tokenId: "tokens.0.id" } }),
    on(del(`${T}/{tokenId}`), 200),
    on(del(`${T}/{tokenId}`), 404, refused),
  ),
  testToken(
    "its answer",
    on(get("/admin/workspaces/{fresh}/test-token"), 200, {
      auth_token: token43,
      workspace_id: "{fresh}",
    }),
  ),
  testToken(
    "it is valid",
    on(get("/admin/workspaces/{fresh}/test-token"), 200, {}, { save: { token: "auth_token" } }),
    on(get("/workspaces/{fresh}/state", "token"), 200),
  ),
  testToken(
    "404 for an unknown workspace",
    on(get("/admin/workspaces/{unknown}/test-token"), 404, refused),
  ),
  testToken(
    "without ADMIN_TOKEN's bearer",
    on(get("/admin/workspaces/{lead}/test-token", null), [401, 404], refused),
  ),
  testToken(
    "with a workspace's bearer",
    on(get("/admin/workspaces/{lead}/test-token", "lead"), [401, 404], refused),
  ),
];

/** §14. */
export const tokenCases: readonly ConformanceCase[] = tokens;
