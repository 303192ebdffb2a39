import type { Shape } from "../../store/node-state.ts";
import { absoluteRects, CARD, type LaidOut, TEAM_ORIGIN } from "./layout.ts";
import { freePlace, snap } from "./place.ts";
import { centreOf, contains, type Point, type Rect } from "./rect.ts";

/** How far a card's middle must leave its team before it counts as taken out, in px. */
const LEAVE_MARGIN = 28;

/** A single card becomes a team only when it is clearly aimed at, in px from its border. */
const CARD_INSET = 24;

/** Where a dragged card would go. */
export interface DropTarget {
  /** The team, or null for the canvas. */
  readonly parentId: string | null;
  /** True when this is another team than before. */
  readonly isChange: boolean;
  /** The slot in canvas coordinates. */
  readonly slot: Rect;
  /** The slot relative to the team. */
  readonly place: Point;
}

/** Facts of a drag. */
export interface Drag {
  readonly id: string;
  readonly items: readonly LaidOut[];
  /** The dragged box in canvas coordinates. */
  readonly box: Rect;
}

/** Where a card would go if it were dropped now. */
export function dropTargetOf({ id, items, box }: Drag): DropTarget {
  const rects = absoluteRects(items);
  const self = items.find((item) => item.id === id);
  const own = self?.parentId ?? null;
  const parentId = targetTeam({ id, items, box }, rects, own);
  const frame = parentId === null ? undefined : rects.get(parentId);
  const origin: Point = frame ?? { x: 0, y: 0 };
  const siblings = items.filter((item) => item.parentId === parentId && item.id !== id);
  const floor = parentId === null ? null : TEAM_ORIGIN;
  const wish = { x: snap(box.x - origin.x), y: snap(box.y - origin.y) };
  const place = freePlace(wish, box, siblings, floor);
  return {
    parentId,
    isChange: parentId !== own,
    place,
    slot: { x: place.x + origin.x, y: place.y + origin.y, width: box.width, height: box.height },
  };
}

/** The innermost team or card under the middle of the dragged one; its own team holds on a little longer. */
function targetTeam(
  drag: Drag,
  rects: ReadonlyMap<string, Rect>,
  own: string | null,
): string | null {
  const inside = withDescendants(drag.id, drag.items);
  // A team is aimed with its header, a card with its middle.
  const { x, y, width, height } = drag.box;
  const middle = centreOf({
    x,
    y,
    width: Math.min(width, CARD.width),
    height: Math.min(height, CARD.height),
  });
  const candidates = drag.items.filter((item) => {
    const rect = rects.get(item.id);
    if (rect === undefined || inside.has(item.id)) return false;
    const margin = item.id === own ? LEAVE_MARGIN : item.kind === "card" ? -CARD_INSET : 0;
    return contains(rect, middle, margin);
  });
  const deepest = candidates.sort((a, b) => b.depth - a.depth)[0];
  return deepest?.id ?? null;
}

/** An id and every id below it. */
export function withDescendants(
  id: string,
  items: readonly { readonly id: string; readonly parentId: string | null }[],
): ReadonlySet<string> {
  const found = new Set([id]);
  let before = 0;
  while (before !== found.size) {
    before = found.size;
    for (const item of items) {
      if (item.parentId !== null && found.has(item.parentId)) found.add(item.id);
    }
  }
  return found;
}

/** The shape of a card after its drop. */
export function shapeAfterDrop(shape: Shape, target: DropTarget): Shape {
  return { ...shape, parentId: target.parentId, x: target.place.x, y: target.place.y };
}
