import { TEAM_HEADER, TEAM_PADDING } from "@molecule/domain/free-place";
import { describe, expect, it } from "vitest";
import type { Shape } from "../../store/node-state.ts";
import { toFlowNodes } from "./flow-graph.ts";
import { absoluteRects, CARD, type LaidOut, layOut, placeForNew } from "./layout.ts";
import { nearestInDirection } from "./nearest.ts";
import { dropTargetOf, withDescendants } from "./nest.ts";
import { freePlace, GAP, separate } from "./place.ts";
import { contains, overlaps, type Rect } from "./rect.ts";

function shapes(...list: (Partial<Shape> & { id: string })[]): Record<string, Shape> {
  const full = list.map((shape) => ({ parentId: null, x: 0, y: 0, collapsed: false, ...shape }));
  return Object.fromEntries(full.map((shape) => [shape.id, shape]));
}

function byId(items: readonly LaidOut[]): Record<string, LaidOut> {
  return Object.fromEntries(items.map((item) => [item.id, item]));
}

/** A repeatable stream of numbers in [0, 1). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648;
  };
}

function randomTree(seed: number, count: number): Record<string, Shape> {
  const next = random(seed);
  const list: Shape[] = [];
  for (let i = 0; i < count; i += 1) {
    const parent = next() < 0.6 ? list[Math.floor(next() * list.length)] : undefined;
    const parentId = parent?.id ?? null;
    list.push({
      id: `n${i}`,
      parentId,
      x: next() * 900 - 100,
      y: next() * 600,
      collapsed: next() < 0.1,
    });
  }
  return shapes(...list);
}

describe("the layout", () => {
  it("draws parents before their children", () => {
    const items = layOut(shapes({ id: "kid", parentId: "boss" }, { id: "boss" }));
    expect(items.map((item) => item.id)).toEqual(["boss", "kid"]);
  });

  it("keeps places that do not overlap exactly as they are", () => {
    const items = byId(layOut(shapes({ id: "a", x: 10, y: 20 }, { id: "b", x: 400, y: -33 })));
    expect(items.a).toMatchObject({ x: 10, y: 20, ...CARD });
    expect(items.b).toMatchObject({ x: 400, y: -33 });
  });

  it("makes a team as large as its cards need", () => {
    const items = byId(
      layOut(shapes({ id: "boss" }, { id: "kid", parentId: "boss", x: 300, y: 200 })),
    );
    expect(items.boss).toMatchObject({
      kind: "team",
      width: 300 + CARD.width + TEAM_PADDING,
      height: 200 + CARD.height + TEAM_PADDING,
    });
  });

  it("keeps cards of a team below its header", () => {
    const kid = byId(
      layOut(shapes({ id: "boss" }, { id: "kid", parentId: "boss", x: -50, y: 0 })),
    ).kid;
    expect(kid).toMatchObject({ x: TEAM_PADDING, y: TEAM_HEADER + TEAM_PADDING });
  });

  it("hides and counts what a folded team holds", () => {
    const items = layOut(
      shapes(
        { id: "boss", collapsed: true },
        { id: "kid", parentId: "boss" },
        { id: "grandkid", parentId: "kid" },
      ),
    );
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ kind: "team", hiddenCount: 2, height: TEAM_HEADER });
  });

  it("shows a card at the root when its parent is missing or the chain is a circle", () => {
    const items = layOut(
      shapes({ id: "a", parentId: "gone" }, { id: "b", parentId: "c" }, { id: "c", parentId: "b" }),
    );
    expect(new Set(items.map((item) => item.id))).toEqual(new Set(["a", "b", "c"]));
    expect(items.every((item) => item.parentId === null)).toBe(true);
  });

  it("shows only one team when it is scoped, unfolded", () => {
    const items = layOut(
      shapes(
        { id: "boss", x: 900, collapsed: true },
        { id: "kid", parentId: "boss" },
        { id: "other" },
      ),
      "boss",
    );
    expect(items.map((item) => item.id)).toEqual(["boss", "kid"]);
    expect(items[0]).toMatchObject({ x: 0, y: 0 });
  });

  it("shows everything when the scope is not there", () => {
    expect(layOut(shapes({ id: "a" }), "gone")).toHaveLength(1);
  });

  it.each([1, 2, 3, 4, 5])(
    "has no overlap and no card outside its team, for any tree (seed %i)",
    (seed) => {
      const items = layOut(randomTree(seed, 80));
      const rects = absoluteRects(items);
      for (const item of items) {
        const rect = rects.get(item.id) as Rect;
        const siblings = items.filter(
          (other) => other.parentId === item.parentId && other.id !== item.id,
        );
        for (const other of siblings)
          expect(overlaps(rect, rects.get(other.id) as Rect)).toBe(false);
        if (item.parentId === null) continue;
        const frame = rects.get(item.parentId) as Rect;
        expect(contains(frame, { x: rect.x, y: rect.y })).toBe(true);
        expect(contains(frame, { x: rect.x + rect.width, y: rect.y + rect.height })).toBe(true);
      }
    },
  );

  it("does not change when its own result is stored", () => {
    const tree = randomTree(9, 40);
    const stored = { ...tree };
    for (const item of layOut(tree)) {
      const shape = stored[item.id] as Shape;
      stored[item.id] = { ...shape, x: item.x, y: item.y };
    }
    expect(layOut(stored)).toEqual(layOut(stored));
    const first = byId(layOut(tree));
    for (const item of layOut(stored))
      expect(item).toMatchObject({ x: first[item.id]?.x, y: first[item.id]?.y });
  });
});

describe("a free place", () => {
  it("is the wished one when nothing is near", () => {
    expect(freePlace({ x: 40, y: 80 }, CARD, [], null)).toEqual({ x: 40, y: 80 });
  });

  it("is beside what is in the way, never on it", () => {
    const taken = [{ x: 0, y: 0, ...CARD }];
    const place = freePlace({ x: 20, y: 20 }, CARD, taken, null);
    expect(overlaps({ ...place, ...CARD }, taken[0] as Rect, GAP)).toBe(false);
  });

  it("is found among many cards", () => {
    const taken: Rect[] = [];
    for (let i = 0; i < 60; i += 1) {
      const place = freePlace({ x: 0, y: 0 }, CARD, taken, { x: 0, y: 0 });
      expect(taken.some((rect) => overlaps({ ...place, ...CARD }, rect, GAP))).toBe(false);
      expect(place.x).toBeGreaterThanOrEqual(0);
      taken.push({ ...place, ...CARD });
    }
  });

  it("for a new card in an empty team is its first slot", () => {
    expect(placeForNew(shapes({ id: "boss", x: 700 }), "boss", { x: 0, y: 0 })).toEqual({
      x: TEAM_PADDING,
      y: TEAM_HEADER + TEAM_PADDING,
    });
  });
});

describe("pulling apart", () => {
  it("moves the later card only", () => {
    const places = separate([
      { id: "a", x: 0, y: 0, ...CARD },
      { id: "b", x: 10, y: 10, ...CARD },
    ]);
    expect(places.get("a")).toEqual({ x: 0, y: 0 });
    expect(places.get("b")).toEqual({ x: 10, y: CARD.height + GAP });
  });
});

describe("a drag", () => {
  const tree = shapes(
    { id: "boss", x: 0, y: 0 },
    { id: "kid", parentId: "boss", x: 16, y: 112 },
    { id: "lone", x: 800, y: 0 },
  );
  const items = layOut(tree);

  it("into a team takes a free slot of it", () => {
    const target = dropTargetOf({ id: "lone", items, box: { x: 40, y: -20, ...CARD } });
    expect(target).toMatchObject({ parentId: "boss", isChange: true });
    expect(overlaps(target.slot, { x: 16, y: 112, ...CARD })).toBe(false);
  });

  it("onto a single card makes that card a team", () => {
    const target = dropTargetOf({
      id: "boss",
      items,
      box: { x: 790, y: 0, width: 296, height: 256 },
    });
    expect(target).toMatchObject({ parentId: "lone", isChange: true });
  });

  it("never ends in the card itself or below it", () => {
    const target = dropTargetOf({
      id: "boss",
      items,
      box: { x: 4, y: 4, width: 296, height: 256 },
    });
    expect(target.parentId).toBeNull();
  });

  it("keeps its team until the card has clearly left it", () => {
    const right = 296 - CARD.width / 2;
    const near = dropTargetOf({ id: "kid", items, box: { x: right + 20, y: 112, ...CARD } });
    const far = dropTargetOf({ id: "kid", items, box: { x: right + 40, y: 112, ...CARD } });
    expect(near).toMatchObject({ parentId: "boss", isChange: false });
    expect(far).toMatchObject({ parentId: null, isChange: true });
  });

  it("takes everything below along", () => {
    expect(withDescendants("boss", items)).toEqual(new Set(["boss", "kid"]));
  });
});

describe("an arrow key", () => {
  const rects = absoluteRects(
    layOut(
      shapes(
        { id: "mid" },
        { id: "right", x: 400 },
        { id: "far", x: 800, y: 40 },
        { id: "below", x: 30, y: 300 },
      ),
    ),
  );

  it("goes to the nearest card that way", () => {
    expect(nearestInDirection("mid", "right", rects)).toBe("right");
    expect(nearestInDirection("mid", "down", rects)).toBe("below");
    expect(nearestInDirection("right", "left", rects)).toBe("mid");
  });

  it("goes nowhere when nothing lies that way", () => {
    expect(nearestInDirection("mid", "up", rects)).toBeNull();
    expect(nearestInDirection("gone", "up", rects)).toBeNull();
  });
});

describe("the drawn nodes", () => {
  it("keep their identity while their geometry stays", () => {
    const tree = shapes({ id: "a" }, { id: "b", x: 400 });
    const first = toFlowNodes(layOut(tree), new Map());
    const known = new Map(first.map((node) => [node.id, node]));
    const moved = toFlowNodes(layOut({ ...tree, b: { ...(tree.b as Shape), x: 500 } }), known);
    expect(moved[0]).toBe(first[0]);
    expect(moved[1]).not.toBe(first[1]);
  });
});
