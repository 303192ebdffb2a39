import { describe, expect, it } from "vitest";
import { CARD_HEIGHT, CARD_WIDTH, freePlace, type PlacedCard } from "./free-place.ts";

const card = (id: string, x: number, y: number, parentId: string | null = null): PlacedCard => ({
  id,
  parentId,
  x,
  y,
  collapsed: false,
});

describe("a free place", () => {
  it("F1: is the origin on an empty canvas and below the header in an empty team", () => {
    expect(freePlace([], null)).toEqual({ x: 0, y: 0 });
    expect(freePlace([card("team", 0, 0)], "team")).toEqual({ x: 16, y: 112 });
  });

  it("F2: never overlaps a sibling, wherever people dragged it", () => {
    const cards: PlacedCard[] = [card("a", 137, 61), card("b", 700, -20)];
    for (let n = 0; n < 40; n += 1)
      cards.push({ ...card(`n${n}`, 0, 0), ...freePlace(cards, null) });
    for (const one of cards) {
      for (const other of cards) {
        if (one === other) continue;
        const apart =
          Math.abs(one.x - other.x) >= CARD_WIDTH || Math.abs(one.y - other.y) >= CARD_HEIGHT;
        expect(apart, `${one.id} covers ${other.id}`).toBe(true);
      }
    }
  });

  it("F3: keeps clear of everything a team reaches, unless the team is collapsed", () => {
    const team = card("team", 0, 0);
    const member = card("m", 24, 400, "team");
    expect(freePlace([team, member], null)).toEqual({ x: 576, y: 0 });
    const row = [card("b", 576, 0), card("c", 864, 0)];
    expect(freePlace([team, member, ...row], null)).toEqual({ x: 576, y: 152 });
    const closed = { ...team, collapsed: true };
    expect(freePlace([closed, member, card("a", 288, 0), ...row], null)).toEqual({ x: 0, y: 152 });
  });
});
