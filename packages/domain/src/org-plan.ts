import { tellNeeds, uniqueNeeds } from "./env-need.ts";
import type { Place } from "./free-place.ts";
import { type KeyNeed, unmetNeeds } from "./model-offer.ts";
import { type CardSize, type LaidOut, layOutTeam } from "./org-layout.ts";
import type { OrgNodeAction, OrgNodeStart } from "./sets.ts";

/** Deepest chain of parents. Source: wire contract §5.6. */
const MAX_DEPTH = 32;
/** Others of the same name that are told of one agent. */
const MAX_ALIKE = 3;

/** One agent of a team that shall be there; `payload` is the caller's own. */
export interface OrgWish<T> {
  readonly name: string;
  /** Why it cannot be made, a whole sentence; null: it can. */
  readonly problem: string | null;
  readonly isExternal: boolean;
  /** Keys that the team or it itself asks for: without them nothing is imported. */
  readonly needs: readonly KeyNeed[];
  /** Keys of its model or template: it is made without them and does not start. */
  readonly startNeeds: readonly KeyNeed[];
  /** Names of the secrets it brings along. */
  readonly ownKeys: readonly string[];
  readonly place: Place | null;
  readonly payload: T;
  readonly children: readonly OrgWish<T>[];
}

/** A workspace that is there; all that are not removed, oldest first. */
export interface OrgMember {
  readonly id: string;
  readonly name: string;
  readonly parentId: string | null;
}

/** What a plan is made from. */
export interface OrgPlanFacts<T> {
  readonly wishes: readonly OrgWish<T>[];
  readonly members: readonly OrgMember[];
  /** Below which workspace the team shall stand; null: at the top. */
  readonly parentId: string | null;
  /** Names of the organisation's secrets that have a value. */
  readonly setKeys: ReadonlySet<string>;
  /** Everything is made at rest. */
  readonly isStaged: boolean;
}

/** A workspace by its name path, for a person. */
export interface NamedPath {
  readonly workspaceId: string;
  /** `Lead / Coder`. */
  readonly path: string;
}

/** What becomes of one agent of the team. */
export interface OrgPlanNode<T> {
  /** In the order of making: parents before children. */
  readonly position: number;
  /** Position of its parent in the plan; null: at its top. */
  readonly parent: number | null;
  /** 0 at the top of the plan. */
  readonly level: number;
  readonly name: string;
  readonly path: string;
  readonly action: OrgNodeAction;
  /** Whole sentences; null: nothing to say. */
  readonly note: string | null;
  /** Of the same name elsewhere: it may have been moved. Reported, never taken for it. */
  readonly alike: readonly NamedPath[];
  /** Of one that is there. */
  readonly workspaceId: string | null;
  /** What of `needs` and `startNeeds` is not set. */
  readonly missing: readonly KeyNeed[];
  readonly starts: OrgNodeStart;
  /** Relative to its parent; null: a free place is looked for. */
  readonly place: Place | null;
  /** What it takes with everything below it. */
  readonly room: CardSize;
  readonly wish: OrgWish<T>;
}

/** What an import would do. */
export interface OrgPlan<T> {
  readonly nodes: readonly OrgPlanNode<T>[];
  /** Needs of the team that nobody has met: the import is refused for them, unless it is staged. */
  readonly missing: readonly KeyNeed[];
  /** Stand in the team, and its description does not have them: renamed, or new since. */
  readonly extra: readonly NamedPath[];
}

/**
 * What importing a team would do, agent by agent. Who an agent is is its name below its parent's: what is
 * there under that path is left as it is, and nothing is guessed about other names and places. One that
 * cannot be made is left out together with everything below it. SPEC: OR2 to OR6.
 */
export function planOrg<T>(facts: OrgPlanFacts<T>): OrgPlan<T> {
  const tree = new MemberTree(facts.members);
  const nodes: OrgPlanNode<T>[] = [];
  const depthAbove = facts.parentId === null ? 0 : tree.depthOf(facts.parentId);
  const walk = (siblings: readonly OrgWish<T>[], above: Above): void => {
    const judged = judge(siblings, above, depthAbove);
    const places = above.isNew ? placesOf(judged) : new Map<OrgWish<T>, Place>();
    for (const one of judged) {
      const node = nodeOf(facts, tree, above, one);
      const position = nodes.length;
      nodes.push({ ...node, position, place: one.wish.place ?? places.get(one.wish) ?? null });
      walk(one.wish.children, {
        position,
        level: above.level + 1,
        path: node.path,
        memberId: node.workspaceId ?? undefined,
        isNew: node.action === "create",
        leftOut: node.action === "left_out" ? node.name : null,
      });
    }
  };
  walk(facts.wishes, {
    position: null,
    level: 0,
    path: "",
    memberId: facts.parentId,
    isNew: false,
    leftOut: null,
  });
  const taken = new Set(nodes.flatMap(({ workspaceId }) => workspaceId ?? []));
  const wanted = nodes.filter(({ action }) => action !== "left_out");
  return {
    nodes: taken.size === 0 ? nodes : nodes.map((node) => withAlike(node, tree, taken)),
    missing: uniqueNeeds(wanted.flatMap(({ wish }) => unmet(facts, wish, wish.needs))),
    extra: [...taken]
      .flatMap((id) => tree.childrenOf(id))
      .flatMap((child) =>
        taken.has(child.id) ? [] : [{ workspaceId: child.id, path: tree.pathOf(child.id) }],
      ),
  };
}

/** Where a list of wishes stands. */
interface Above {
  readonly position: number | null;
  readonly level: number;
  readonly path: string;
  /** The workspace they stand below, null for the top; undefined: it is not there yet. */
  readonly memberId: string | null | undefined;
  /** It is made by this plan, so that nobody has moved anything in it yet. */
  readonly isNew: boolean;
  /** Name of the one above that is left out. */
  readonly leftOut: string | null;
}

/** What becomes of one, but for where it stands in the plan. */
function nodeOf<T>(
  facts: OrgPlanFacts<T>,
  tree: MemberTree,
  above: Above,
  { wish, problem }: Judged<T>,
): Omit<OrgPlanNode<T>, "position" | "place"> {
  const { name } = wish;
  const there = above.memberId === undefined ? [] : tree.childrenOf(above.memberId, name);
  const found = problem === null ? there[0] : undefined;
  const action = problem !== null ? "left_out" : found === undefined ? "create" : "exists";
  const missing = problem === null ? unmet(facts, wish, [...wish.needs, ...wish.startNeeds]) : [];
  return {
    parent: above.position,
    level: above.level,
    name,
    path: above.path === "" ? name : `${above.path} / ${name}`,
    action,
    note: problem ?? twinsNote(there.length, name),
    alike: [],
    workspaceId: found?.id ?? null,
    missing,
    starts: startOf(action, wish, missing.length > 0, facts.isStaged),
    room: layOutTeam(asLaidOut(wish).children).size,
    wish,
  };
}

/** One of a list of siblings, and why it cannot be made. */
interface Judged<T> {
  readonly wish: OrgWish<T>;
  readonly problem: string | null;
}

/** Siblings with why each cannot be made. */
function judge<T>(siblings: readonly OrgWish<T>[], above: Above, depthAbove: number): Judged<T>[] {
  const names = new Set<string>();
  return siblings.map((wish) => {
    const problem = problemOf(wish, above, names.has(wish.name), depthAbove);
    if (problem === null) names.add(wish.name);
    return { wish, problem };
  });
}

/** Places of those that are made, in a team that is made with them. */
function placesOf<T>(judged: readonly Judged<T>[]): ReadonlyMap<OrgWish<T>, Place> {
  const made = judged.flatMap(({ wish, problem }) => (problem === null ? [wish] : []));
  const { places } = layOutTeam(made.map(asLaidOut));
  return new Map(
    made.flatMap((wish, at) => (places[at] === undefined ? [] : [[wish, places[at]]])),
  );
}

function problemOf<T>(
  wish: OrgWish<T>,
  above: Above,
  isTwin: boolean,
  depthAbove: number,
): string | null {
  if (above.leftOut !== null) return `Left out together with “${above.leftOut}” above it.`;
  if (wish.problem !== null) return wish.problem;
  if (isTwin) {
    return `Two agents beside each other are called “${wish.name}”; only the first one is taken.`;
  }
  return depthAbove + above.level >= MAX_DEPTH
    ? `Teams can be nested ${MAX_DEPTH} deep at most.`
    : null;
}

function twinsNote(count: number, name: string): string | null {
  return count > 1 ? `${count} agents called “${name}” stand here; the oldest one is taken.` : null;
}

function unmet<T>(
  facts: OrgPlanFacts<T>,
  wish: OrgWish<T>,
  needs: readonly KeyNeed[],
): readonly KeyNeed[] {
  const isSet = (key: string) => facts.setKeys.has(key) || wish.ownKeys.includes(key);
  return uniqueNeeds(unmetNeeds(needs, isSet));
}

function startOf<T>(
  action: OrgNodeAction,
  wish: OrgWish<T>,
  lacksKey: boolean,
  isStaged: boolean,
): OrgNodeStart {
  if (action !== "create") return "no";
  if (wish.isExternal) return "elsewhere";
  if (isStaged) return "staged";
  return lacksKey ? "lacks_key" : "now";
}

function asLaidOut<T>(wish: OrgWish<T>): LaidOut {
  const children = wish.children.filter(({ problem }) => problem === null);
  return { wanted: wish.place, children: children.map(asLaidOut) };
}

/** Told of what is made new beside a team that is there already: it may be what was moved. */
function withAlike<T>(
  node: OrgPlanNode<T>,
  tree: MemberTree,
  taken: ReadonlySet<string>,
): OrgPlanNode<T> {
  if (node.action !== "create") return node;
  const alike = tree
    .called(node.name)
    .filter(({ id }) => !taken.has(id))
    .slice(0, MAX_ALIKE)
    .map(({ id }) => ({ workspaceId: id, path: tree.pathOf(id) }));
  if (alike.length === 0) return node;
  const where = alike.map(({ path }) => `“${path}”`).join(", ");
  const sentence = `There is ${where} already; if it was moved, move it back before the import, or this is made anew.`;
  return { ...node, alike, note: node.note === null ? sentence : `${node.note} ${sentence}` };
}

/** The workspaces that are there, by parent and name. */
class MemberTree {
  readonly #byId: ReadonlyMap<string, OrgMember>;
  readonly #byParent = new Map<string | null, OrgMember[]>();
  readonly #byName = new Map<string, OrgMember[]>();

  constructor(members: readonly OrgMember[]) {
    this.#byId = new Map(members.map((member) => [member.id, member]));
    for (const member of members) {
      push(this.#byParent, member.parentId, member);
      push(this.#byName, member.name, member);
    }
  }

  /** Those below `parentId`, of one name or of any; oldest first. */
  childrenOf(parentId: string | null, name?: string): readonly OrgMember[] {
    const all = this.#byParent.get(parentId) ?? [];
    return name === undefined ? all : all.filter((member) => member.name === name);
  }

  called(name: string): readonly OrgMember[] {
    return this.#byName.get(name) ?? [];
  }

  pathOf(id: string): string {
    return this.#chain(id)
      .map(({ name }) => name)
      .reverse()
      .join(" / ");
  }

  /** How many stand above what would be below it. */
  depthOf(id: string): number {
    return this.#chain(id).length;
  }

  #chain(id: string): OrgMember[] {
    const chain: OrgMember[] = [];
    let at = this.#byId.get(id);
    while (at !== undefined && chain.length < MAX_DEPTH) {
      chain.push(at);
      at = at.parentId === null ? undefined : this.#byId.get(at.parentId);
    }
    return chain;
  }
}

function push<K>(map: Map<K, OrgMember[]>, key: K, member: OrgMember): void {
  const list = map.get(key) ?? [];
  if (list.length === 0) map.set(key, list);
  list.push(member);
}

/** Why a team cannot be imported as it is, for a person. */
export function missingSentence(missing: readonly KeyNeed[]): string {
  const list = tellNeeds(missing);
  return missing.length === 1
    ? `The key ${list} is not set, and this team needs it.`
    : `The keys ${list} are not set, and this team needs them.`;
}

/** Agents of one import that start at the same time. Source: wire contract §11.2. */
export const STARTS_AT_ONCE = 3;
