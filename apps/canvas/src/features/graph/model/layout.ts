import { CARD_HEIGHT, CARD_WIDTH, TEAM_HEADER, TEAM_PADDING } from "@molecule/domain/free-place";
import type { Shape } from "../../store/node-state.ts";
import { freePlace, type Placed, separate } from "./place.ts";
import type { Point, Rect } from "./rect.ts";

/** A card on its own, in px. */
export const CARD = { width: CARD_WIDTH, height: CARD_HEIGHT } as const;
const TEAM_MIN_WIDTH = CARD.width + 2 * TEAM_PADDING;
/** A folded team has no cards to be as wide as, but counts and buttons beside its name. */
const FOLDED_WIDTH = 344;

/** The first place inside a team. */
export const TEAM_ORIGIN: Point = { x: TEAM_PADDING, y: TEAM_HEADER + TEAM_PADDING };

/** One card or team as it is drawn. */
export interface LaidOut extends Rect {
  readonly id: string;
  /** Null at the root of what is shown. `x` and `y` are relative to this team. */
  readonly parentId: string | null;
  readonly kind: "card" | "team";
  /** 0 at the root. */
  readonly depth: number;
  /** Agents inside a folded team, at any depth. */
  readonly hiddenCount: number;
}

type Shapes = Readonly<Record<string, Shape>>;
type Children = ReadonlyMap<string | null, readonly Shape[]>;

/** The children of each workspace. A parent that is not there, or a circle, counts as the root. */
export function childrenOf(shapes: Shapes): Children {
  const children = new Map<string | null, Shape[]>();
  for (const shape of Object.values(shapes)) {
    const parentId = shape.parentId !== null && leadsToRoot(shape, shapes) ? shape.parentId : null;
    const list = children.get(parentId);
    if (list === undefined) children.set(parentId, [shape]);
    else list.push(shape);
  }
  return children;
}

function leadsToRoot(shape: Shape, shapes: Shapes): boolean {
  const seen = new Set<string>([shape.id]);
  let parentId = shape.parentId;
  while (parentId !== null) {
    const parent = shapes[parentId];
    if (parent === undefined) return parentId !== shape.parentId;
    if (seen.has(parentId)) return false;
    seen.add(parentId);
    parentId = parent.parentId;
  }
  return true;
}

/**
 * What is drawn, parents before their children: teams are as large as their cards need, no two cards of
 * one team overlap, and nothing of a folded team but itself is there. `scopeId` limits it to one team,
 * which then fills the canvas; null is everything.
 */
export function layOut(shapes: Shapes, scopeId: string | null = null): readonly LaidOut[] {
  const children = childrenOf(shapes);
  const root = scopeId !== null && shapes[scopeId] !== undefined ? shapes[scopeId] : null;
  const top =
    root === null ? (children.get(null) ?? []) : [{ ...root, x: 0, y: 0, collapsed: false }];
  return layOutLevel(top, null, 0, children).items;
}

interface Level {
  readonly items: readonly LaidOut[];
  /** What the level needs, from its origin. */
  readonly width: number;
  readonly height: number;
}

function layOutLevel(
  members: readonly Shape[],
  parentId: string | null,
  depth: number,
  children: Children,
): Level {
  const measured = members.map((shape) => measure(shape, depth, children));
  const floor = parentId === null ? null : TEAM_ORIGIN;
  const boxes: Placed[] = measured.map(({ shape, width, height }) => ({
    id: shape.id,
    x: floor === null ? shape.x : Math.max(shape.x, floor.x),
    y: floor === null ? shape.y : Math.max(shape.y, floor.y),
    width,
    height,
  }));
  const places = separate(boxes);
  const items: LaidOut[] = [];
  let right = 0;
  let bottom = 0;
  for (const { shape, inside, ...size } of measured) {
    const place = places.get(shape.id) ?? { x: shape.x, y: shape.y };
    const { width, height, kind, hiddenCount } = size;
    items.push({ id: shape.id, parentId, depth, kind, hiddenCount, ...place, width, height });
    items.push(...inside);
    right = Math.max(right, place.x + width);
    bottom = Math.max(bottom, place.y + height);
  }
  return { items, width: right, height: bottom };
}

interface Measured {
  readonly shape: Shape;
  readonly kind: LaidOut["kind"];
  readonly width: number;
  readonly height: number;
  readonly hiddenCount: number;
  readonly inside: readonly LaidOut[];
}

function measure(shape: Shape, depth: number, children: Children): Measured {
  const members = children.get(shape.id) ?? [];
  if (members.length === 0) return { shape, kind: "card", ...CARD, hiddenCount: 0, inside: [] };
  if (shape.collapsed) {
    const hiddenCount = countUnder(shape.id, children);
    return {
      shape,
      kind: "team",
      width: FOLDED_WIDTH,
      height: TEAM_HEADER,
      hiddenCount,
      inside: [],
    };
  }
  const level = layOutLevel(members, shape.id, depth + 1, children);
  return {
    shape,
    kind: "team",
    width: Math.max(level.width + TEAM_PADDING, TEAM_MIN_WIDTH),
    height: level.height + TEAM_PADDING,
    hiddenCount: 0,
    inside: level.items,
  };
}

function countUnder(id: string, children: Children): number {
  const members = children.get(id) ?? [];
  return members.reduce((sum, member) => sum + 1 + countUnder(member.id, children), 0);
}

/** Every drawn box in canvas coordinates, by id. */
export function absoluteRects(items: readonly LaidOut[]): ReadonlyMap<string, Rect> {
  const rects = new Map<string, Rect>();
  for (const { id, parentId, x, y, width, height } of items) {
    const parent = parentId === null ? undefined : rects.get(parentId);
    rects.set(id, { x: x + (parent?.x ?? 0), y: y + (parent?.y ?? 0), width, height });
  }
  return rects;
}

/** A free place for a new card: in its team, or near `wish` on the canvas. Relative to the team. */
export function placeForNew(shapes: Shapes, parentId: string | null, wish: Point): Point {
  const siblings = layOut(shapes).filter((item) => item.parentId === parentId);
  const floor = parentId === null ? null : TEAM_ORIGIN;
  return freePlace(parentId === null ? wish : TEAM_ORIGIN, CARD, siblings, floor);
}
