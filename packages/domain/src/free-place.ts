/** A card as placing sees it; positions are relative to the parent's card. */
export interface PlacedCard {
  readonly id: string;
  readonly parentId: string | null;
  readonly x: number;
  readonly y: number;
  readonly collapsed: boolean;
}
/** A point on the canvas, in its pixels. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** Size of a card without a team. Source: canvas §7. */
export const CARD_WIDTH = 264;
export const CARD_HEIGHT = 128;
/** Upper part of a team: the card of the agent that leads it. */
export const TEAM_HEADER = 96;
/** Room between a team's border and the cards in it. */
export const TEAM_PADDING = 16;
const GAP = 24;
const COLUMNS_AT_ROOT = 4;
const COLUMNS_IN_TEAM = 2;
const MAX_DEPTH = 32;

interface Box extends Place {
  readonly width: number;
  readonly height: number;
}

/**
 * Where a new card below `parentId` goes: the first place of a grid, row by row, where it covers no
 * sibling and none covers it. Teams cover what their members reach, a new one `size`. SPEC: F1 to F3.
 */
export function freePlace(
  cards: readonly PlacedCard[],
  parentId: string | null,
  size = { width: CARD_WIDTH, height: CARD_HEIGHT },
): Place {
  const siblings = cards
    .filter((card) => card.parentId === parentId)
    .map((card) => ({ x: card.x, y: card.y, ...sizeOf(card, cards, 0) }));
  const isTeam = parentId !== null;
  const left = isTeam ? TEAM_PADDING : 0;
  const top = isTeam ? TEAM_HEADER + TEAM_PADDING : 0;
  const columns = isTeam ? COLUMNS_IN_TEAM : COLUMNS_AT_ROOT;
  for (let slot = 0; ; slot += 1) {
    const place = {
      x: left + (slot % columns) * (CARD_WIDTH + GAP),
      y: top + Math.floor(slot / columns) * (CARD_HEIGHT + GAP),
    };
    if (!siblings.some((box) => overlaps(box, { ...place, ...size }))) return place;
  }
}

function overlaps(box: Box, other: Box): boolean {
  return (
    other.x < box.x + box.width + GAP / 2 &&
    box.x < other.x + other.width + GAP / 2 &&
    other.y < box.y + box.height + GAP / 2 &&
    box.y < other.y + other.height + GAP / 2
  );
}

function sizeOf(
  card: PlacedCard,
  cards: readonly PlacedCard[],
  depth: number,
): { readonly width: number; readonly height: number } {
  const members = cards.filter((other) => other.parentId === card.id);
  if (card.collapsed || members.length === 0 || depth >= MAX_DEPTH) {
    return { width: CARD_WIDTH, height: CARD_HEIGHT };
  }
  let width = CARD_WIDTH;
  let height = CARD_HEIGHT;
  for (const member of members) {
    const size = sizeOf(member, cards, depth + 1);
    width = Math.max(width, member.x + size.width + TEAM_PADDING);
    height = Math.max(height, member.y + size.height + TEAM_PADDING);
  }
  return { width, height };
}
