import { describe, expect, it } from "vitest";
import { layOutTeam } from "./org-layout.ts";
import { missingSentence, type OrgMember, type OrgWish, planOrg } from "./org-plan.ts";

type Wish = OrgWish<null>;

const wish = (name: string, children: readonly Wish[] = [], other: Partial<Wish> = {}): Wish => ({
  name,
  problem: null,
  isExternal: false,
  needs: [],
  startNeeds: [],
  ownKeys: [],
  place: null,
  payload: null,
  children,
  ...other,
});
const member = (id: string, name: string, parentId: string | null = null): OrgMember => ({
  id,
  name,
  parentId,
});
const plan = (
  wishes: readonly Wish[],
  members: readonly OrgMember[] = [],
  other: Partial<Parameters<typeof planOrg<null>>[0]> = {},
) =>
  planOrg<null>({
    wishes,
    members,
    parentId: null,
    setKeys: new Set(),
    isStaged: false,
    ...other,
  });
const acts = (made: ReturnType<typeof plan>) =>
  made.nodes.map(({ path, action }) => [path, action]);

describe("what an import would do", () => {
  const team = [wish("Lead", [wish("Coder", [wish("Tester")]), wish("Writer")])];

  it("OR2: makes what is not there, parents before children", () => {
    const made = plan(team);
    expect(acts(made)).toEqual([
      ["Lead", "create"],
      ["Lead / Coder", "create"],
      ["Lead / Coder / Tester", "create"],
      ["Lead / Writer", "create"],
    ]);
    expect(made.nodes.map(({ parent, level }) => [parent, level])).toEqual([
      [null, 0],
      [0, 1],
      [1, 2],
      [0, 1],
    ]);
    expect(made.extra).toEqual([]);
  });

  it("OR2: what stands under its name path is left as it is, and the rest is made below it", () => {
    const there = [member("l", "Lead"), member("c", "Coder", "l")];
    const made = plan(team, there);
    expect(made.nodes.map(({ action, workspaceId }) => [action, workspaceId])).toEqual([
      ["exists", "l"],
      ["exists", "c"],
      ["create", null],
      ["create", null],
    ]);
    const whole = [...there, member("t", "Tester", "c"), member("w", "Writer", "l")];
    expect(plan(team, whole).nodes.every(({ action }) => action === "exists")).toBe(true);
  });

  it("OR3: a moved or renamed one is made anew and told, never guessed", () => {
    const there = [member("l", "Lead"), member("c", "Coder"), member("p", "Poet", "l")];
    const made = plan(team, there);
    const coder = made.nodes[1];
    expect(coder?.action).toBe("create");
    expect(coder?.alike).toEqual([{ workspaceId: "c", path: "Coder" }]);
    expect(coder?.note).toContain("“Coder” already");
    expect(made.extra).toEqual([{ workspaceId: "p", path: "Lead / Poet" }]);
  });

  it("OR3: beside a team that was never there nobody is alike", () => {
    const made = plan(team, [member("c", "Coder"), member("x", "Other")]);
    expect(made.nodes.every(({ alike, note }) => alike.length === 0 && note === null)).toBe(true);
  });

  it("OR3: of two with one name below the same parent the oldest is taken, and that is told", () => {
    const made = plan([wish("Lead")], [member("a", "Lead"), member("b", "Lead")]);
    expect(made.nodes[0]).toMatchObject({ action: "exists", workspaceId: "a" });
    expect(made.nodes[0]?.note).toContain("2 agents called “Lead”");
  });

  it("OR4: one that cannot be made is left out with all below it, each named; the others are made", () => {
    const broken = wish("Coder", [wish("Tester", [wish("Deep")])], { problem: "It has no brain." });
    const made = plan([wish("Lead", [broken, wish("Writer")])]);
    expect(made.nodes.map(({ path, action, note }) => [path, action, note])).toEqual([
      ["Lead", "create", null],
      ["Lead / Coder", "left_out", "It has no brain."],
      ["Lead / Coder / Tester", "left_out", "Left out together with “Coder” above it."],
      ["Lead / Coder / Tester / Deep", "left_out", "Left out together with “Tester” above it."],
      ["Lead / Writer", "create", null],
    ]);
  });

  it("OR4: of siblings with one name the first is taken; one that cannot be made takes no name", () => {
    const made = plan([wish("A", [], { problem: "No." }), wish("A"), wish("A")]);
    expect(made.nodes.map(({ action }) => action)).toEqual(["left_out", "create", "left_out"]);
    expect(made.nodes[2]?.note).toContain("only the first one");
  });

  it("OR4: nothing is nested deeper than 32, what stands above counted in", () => {
    const chain = (left: number): Wish => wish(`n${left}`, left > 1 ? [chain(left - 1)] : []);
    const members = [member("a", "A"), member("b", "B", "a")];
    expect(plan([chain(33)]).nodes.filter(({ action }) => action === "create")).toHaveLength(32);
    const below = plan([chain(33)], members, { parentId: "b" });
    expect(below.nodes.filter(({ action }) => action === "create")).toHaveLength(30);
    expect(below.nodes[30]?.note).toContain("32 deep");
    expect(below.nodes[31]?.note).toContain("Left out together");
  });

  it("OR5: what the team needs refuses it; what a model needs only keeps its agent from starting", () => {
    const needy = wish("A", [], { needs: [["K"], ["X", "Y"]], startNeeds: [["M"]] });
    const made = plan([needy, wish("B")]);
    expect(made.missing).toEqual([["K"], ["X", "Y"]]);
    expect(made.nodes.map(({ missing, starts }) => [missing, starts])).toEqual([
      [[["K"], ["X", "Y"], ["M"]], "lacks_key"],
      [[], "now"],
    ]);
    const set = plan([needy], [], { setKeys: new Set(["K", "Y"]) });
    expect([set.missing, set.nodes[0]?.missing]).toEqual([[], [["M"]]]);
    expect(missingSentence([["K"]])).toBe("The key K is not set, and this team needs it.");
    expect(missingSentence(made.missing)).toContain("K, X or Y are not set");
  });

  it("OR5: a key that an agent brings along is its own, and nobody else's", () => {
    const made = plan([
      wish("A", [], { needs: [["K"]], ownKeys: ["K"] }),
      wish("B", [], { needs: [["K"]] }),
    ]);
    expect(made.missing).toEqual([["K"]]);
    expect(made.nodes.map(({ starts }) => starts)).toEqual(["now", "lacks_key"]);
  });

  it("OR5: says what would start: nothing staged, nothing that runs elsewhere, nothing that is there", () => {
    const wishes = [wish("A"), wish("B", [], { isExternal: true }), wish("C")];
    const there = [member("c", "C")];
    const starts = (isStaged: boolean) =>
      plan(wishes, there, { isStaged }).nodes.map((node) => node.starts);
    expect(starts(false)).toEqual(["now", "elsewhere", "no"]);
    expect(starts(true)).toEqual(["staged", "elsewhere", "no"]);
  });
});

describe("the layout of a team", () => {
  const leaf = { wanted: null, children: [] };

  it("OR6: two columns below the header, each member in its own place", () => {
    const { places, size } = layOutTeam([leaf, leaf, leaf]);
    expect(places).toEqual([
      { x: 16, y: 130 },
      { x: 294, y: 130 },
      { x: 16, y: 274 },
    ]);
    expect(size).toEqual({ width: 574, height: 420 });
    expect(layOutTeam([]).size).toEqual({ width: 264, height: 130 });
  });

  it("OR6: a team within makes its column and row as large as it is", () => {
    const { places } = layOutTeam([{ wanted: null, children: [leaf, leaf] }, leaf, leaf]);
    expect(places).toEqual([
      { x: 16, y: 130 },
      { x: 16 + 574 + 14, y: 130 },
      { x: 16, y: 130 + 276 + 14 },
    ]);
  });

  it("OR6: what its author placed stays there, and the others come below it", () => {
    const { places } = layOutTeam([{ wanted: { x: 500, y: 300 }, children: [] }, leaf]);
    expect(places).toEqual([
      { x: 500, y: 300 },
      { x: 16, y: 444 },
    ]);
  });

  it("OR6: members that are left out take no place, and those of a team that is there find a free one", () => {
    const team = wish("Lead", [wish("X", [], { problem: "No." }), wish("Y")]);
    expect(plan([team]).nodes.map(({ place }) => place)).toEqual([null, null, { x: 16, y: 130 }]);
    const there = plan([team], [member("l", "Lead")]);
    expect(there.nodes.map(({ place }) => place)).toEqual([null, null, null]);
    expect(plan([team]).nodes[0]?.room).toEqual({ width: 296, height: 276 });
  });
});
