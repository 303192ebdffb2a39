import { centreOf, type Rect } from "./rect.ts";

/** An arrow key's way. */
export type Direction = "left" | "right" | "up" | "down";

/** How much worse a step aside is than a step ahead. */
const ASIDE_WEIGHT = 2.2;

/**
 * The box nearest to another in a direction, or null when none lies that way. A box counts when its
 * middle is ahead of ours; being aside costs more than being far.
 */
export function nearestInDirection(
  fromId: string,
  direction: Direction,
  rects: ReadonlyMap<string, Rect>,
): string | null {
  const from = rects.get(fromId);
  if (from === undefined) return null;
  const start = centreOf(from);
  let best: { id: string; cost: number } | null = null;
  for (const [id, rect] of rects) {
    if (id === fromId) continue;
    const end = centreOf(rect);
    const { ahead, aside } = along(direction, end.x - start.x, end.y - start.y);
    if (ahead <= 1) continue;
    const cost = ahead + aside * ASIDE_WEIGHT;
    if (best === null || cost < best.cost) best = { id, cost };
  }
  return best?.id ?? null;
}

function along(direction: Direction, dx: number, dy: number): { ahead: number; aside: number } {
  switch (direction) {
    case "left":
      return { ahead: -dx, aside: Math.abs(dy) };
    case "right":
      return { ahead: dx, aside: Math.abs(dy) };
    case "up":
      return { ahead: -dy, aside: Math.abs(dx) };
    case "down":
      return { ahead: dy, aside: Math.abs(dx) };
  }
}
