import { type ConformanceCase, del, get, on, post, rowOf } from "../case.ts";
import {
  int,
  like,
  listOf,
  ofLength,
  oneOf,
  orAbsent,
  type Shape,
  someText,
  uuid,
} from "../shape.ts";

/** Nobody has stored a key of this name. */
const UNKNOWN_KEY = "CONFORMANCE_KEY_THAT_NOBODY_SET";

const refused = { error: someText };
const row: Shape = { id: uuid, name: someText, tier: int };
const agent = (name: string, more: object = {}) => ({ name, external: true, ...more });
const team = (workspaces: readonly object[], more: object = {}) => ({
  template: { name: "conformance {uuid}", workspaces, ...more },
});
const two = team([agent("lead {uuid}", { children: [agent("member {uuid}")] })]);
const imported = (
  body: object,
  status: number | readonly number[],
  answer: Shape,
  more: Parameters<typeof on>[3] = {},
) => on(post("/org/import", body), status, answer, more);
const gone = on(del("/workspaces/{made}?confirm=true"), 200);
const no = (title: string, body: unknown, status: number) =>
  rowOf("§11.2", 532)(title, on(post("/org/import", body), status, refused));
const lacks = (title: string, body: object, answer: Shape) =>
  rowOf("§11.2", 533)(title, on(post("/org/import", body), 412, answer));
const need: Shape = oneOf(someText, { any_of: listOf(someText) });

/** §11.2: teams and their import. */
export const orgCases: readonly ConformanceCase[] = [
  rowOf("§11.2", 531)(
    "the teams there are, with what they need",
    on(
      get("/org/templates"),
      200,
      listOf({
        dir: someText,
        name: someText,
        workspaces: int,
        required_env: listOf(need),
        recommended_env: listOf(need),
      }),
    ),
  ),
  no("nothing to import", {}, 400),
  no("a body that is no object", "[]", 400),
  no("a template that is no object", { template: "x" }, 400),
  no("a team without agents", { template: { name: "x", workspaces: [] } }, 400),
  no("a folder that is not there", { dir: "no-such-team" }, 404),
  no("a folder outside of the teams", { dir: "../../etc" }, 404),
  rowOf("§11.2", 532)(
    "every agent is made, on every level",
    imported(
      two,
      201,
      { org: "conformance {uuid}", workspaces: listOf(row), count: 2 },
      { save: { made: "workspaces.0.id", below: "workspaces.1.id" } },
    ),
    on(get("/workspaces/{below}"), 200, { parent_id: "{made}", name: "member {uuid}" }),
    gone,
  ),
  rowOf("§11.2", 532)(
    "force is ignored, and so is what nobody knows",
    imported(
      { ...two, force: true, unknown: 1 },
      201,
      { count: 2 },
      {
        save: { made: "workspaces.0.id" },
      },
    ),
    gone,
  ),
  rowOf("§11.2", 532)(
    "imported again it makes nothing that is there",
    imported(two, 201, { count: 2 }, { save: { made: "workspaces.0.id" } }),
    imported(
      two,
      201,
      { workspaces: listOf(row), count: 2 },
      { save: { again: "workspaces.0.id" } },
    ),
    on(get("/workspaces/{again}"), 200, { id: "{made}" }),
    gone,
  ),
  rowOf("§11.2", 532)(
    "a part that cannot be made is told, and the rest is made",
    imported(
      team([agent("lead {uuid}"), { name: "odd {uuid}", template: "no-such-template" }]),
      207,
      { error: like(/odd/), workspaces: ofLength(1), count: 1 },
      { save: { made: "workspaces.0.id" } },
    ),
    gone,
  ),
  rowOf("§11.2", 532)(
    "channels are told as left out",
    imported(
      team([agent("lead {uuid}", { channels: [{ type: "slack" }] })]),
      201,
      { workspaces: listOf({ ...(row as object), channels_skipped: orAbsent(int) }) },
      { save: { made: "workspaces.0.id" } },
    ),
    gone,
  ),
  ...[false, true].map((force) =>
    lacks(
      `a key that nobody set is named${force ? ", and cannot be forced" : ""}`,
      { ...team([agent("lead {uuid}")], { required_env: [UNKNOWN_KEY] }), force },
      {
        error: someText,
        missing_env: [UNKNOWN_KEY],
        required_env: [UNKNOWN_KEY],
        template: someText,
        suggestion: someText,
      },
    ),
  ),
  lacks(
    "what one agent needs counts for the team; of a group one key is enough",
    team([agent("lead {uuid}", { required_env: [{ any_of: [UNKNOWN_KEY, `${UNKNOWN_KEY}_2`] }] })]),
    { missing_env: [{ any_of: [UNKNOWN_KEY, `${UNKNOWN_KEY}_2`] }] },
  ),
];
