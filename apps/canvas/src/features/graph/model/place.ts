import { overlaps, type Point, type Rect } from "./rect.ts";

/** Positions are kept on this grid, in px. */
export const GRID = 8;
/** The least distance between two cards, in px. */
export const GAP = 24;
/** Two cards nearer than this are pulled apart, in px. */
const TIGHT = 8;
/** Rings searched around the wished place before giving up and going below everything. */
const MAX_RINGS = 60;

/** The nearest grid line. */
export function snap(value: number): number {
  return Math.round(value / GRID) * GRID;
}

/**
 * The place nearest to `wish` where a box of `size` keeps {@link GAP} from every other box. `floor` is the
 * least x and y allowed, as inside a team.
 */
export function freePlace(
  wish: Point,
  size: { readonly width: number; readonly height: number },
  taken: readonly Rect[],
  floor: Point | null,
): Point {
  const at = (x: number, y: number): Point => ({
    x: Math.max(snap(x), floor?.x ?? Number.NEGATIVE_INFINITY),
    y: Math.max(snap(y), floor?.y ?? Number.NEGATIVE_INFINITY),
  });
  const isFree = (point: Point) =>
    !taken.some((rect) => overlaps({ ...point, ...size }, rect, GAP));
  const first = at(wish.x, wish.y);
  if (isFree(first)) return first;
  const candidates = taken
    .flatMap((rect) => {
      const sides = floor === null ? sidesOf(rect, size, wish) : nextTo(rect);
      return sides.map((point) => at(point.x, point.y));
    })
    .filter(isFree)
    .sort((a, b) => distance(a, wish) - distance(b, wish));
  const nearest = candidates[0] ?? ringSearch(wish, size, at, isFree);
  if (nearest !== null) return nearest;
  const below = Math.max(...taken.map((rect) => rect.y + rect.height)) + GAP;
  return at(wish.x, Math.ceil(below / GRID) * GRID);
}

/** The places that continue a row or a column: in a team, cards line up. */
function nextTo(rect: Rect): Point[] {
  const right = Math.ceil((rect.x + rect.width + GAP) / GRID) * GRID;
  const below = Math.ceil((rect.y + rect.height + GAP) / GRID) * GRID;
  return [
    { x: right, y: rect.y },
    { x: rect.x, y: below },
  ];
}

/** The four places directly beside a box, as near to the wish as that side allows. */
function sidesOf(rect: Rect, size: { width: number; height: number }, wish: Point): Point[] {
  const right = Math.ceil((rect.x + rect.width + GAP) / GRID) * GRID;
  const left = Math.floor((rect.x - size.width - GAP) / GRID) * GRID;
  const below = Math.ceil((rect.y + rect.height + GAP) / GRID) * GRID;
  const above = Math.floor((rect.y - size.height - GAP) / GRID) * GRID;
  return [
    { x: right, y: wish.y },
    { x: left, y: wish.y },
    { x: wish.x, y: below },
    { x: wish.x, y: above },
    { x: right, y: rect.y },
    { x: rect.x, y: below },
  ];
}

function ringSearch(
  wish: Point,
  size: { width: number; height: number },
  at: (x: number, y: number) => Point,
  isFree: (point: Point) => boolean,
): Point | null {
  const stepX = size.width + GAP;
  const stepY = size.height + GAP;
  for (let ring = 1; ring <= MAX_RINGS; ring += 1) {
    const found: Point[] = [];
    for (let i = -ring; i <= ring; i += 1) {
      for (const [dx, dy] of [
        [i, -ring],
        [i, ring],
        [-ring, i],
        [ring, i],
      ] as const) {
        const point = at(wish.x + dx * stepX, wish.y + dy * stepY);
        if (isFree(point)) found.push(point);
      }
    }
    const [best] = found.sort((a, b) => distance(a, wish) - distance(b, wish));
    if (best !== undefined) return best;
  }
  return null;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

/** A box with an identity. */
export interface Placed extends Rect {
  readonly id: string;
}

/**
 * The boxes without overlaps: each keeps its place unless one that stands before it (higher, then more
 * to the left) is in the way; then it goes right or down, whichever is nearer. Boxes that do not overlap
 * come back as they are.
 */
export function separate(boxes: readonly Placed[]): ReadonlyMap<string, Point> {
  const ordered = [...boxes].sort((a, b) => a.y - b.y || a.x - b.x || a.id.localeCompare(b.id));
  const settled: Rect[] = [];
  const places = new Map<string, Point>();
  for (const box of ordered) {
    const place = pushed(box, settled);
    settled.push({ ...box, ...place });
    places.set(box.id, place);
  }
  return places;
}

function pushed(box: Rect, settled: readonly Rect[]): Point {
  let { x, y } = box;
  for (let step = 0; step <= settled.length; step += 1) {
    const inWay = settled.find((rect) => overlaps({ ...box, x, y }, rect, TIGHT));
    if (inWay === undefined) return { x, y };
    const right = inWay.x + inWay.width + GAP - x;
    const down = inWay.y + inWay.height + GAP - y;
    if (right <= down) x += right;
    else y += down;
  }
  const bottom = Math.max(...settled.map((rect) => rect.y + rect.height));
  return { x: box.x, y: bottom + GAP };
}
