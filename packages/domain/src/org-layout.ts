import { CARD_WIDTH, type Place } from "./free-place.ts";

/**
 * How the cards of an imported team lie in it. Source: wire contract §11.2; a card is as wide as ours
 * are (264), where the contract has 240, so that none covers its neighbour.
 */
export const ORG_CARD_WIDTH = CARD_WIDTH;
export const ORG_CARD_HEIGHT = 130;
const GUTTER = 14;
const HEADER = 130;
const SIDE = 16;
const COLUMNS = 2;

/** A card with those that are laid out in it. */
export interface LaidOut {
  /** Where its author put it, relative to its parent; null: wherever it fits. */
  readonly wanted: Place | null;
  readonly children: readonly LaidOut[];
}

/** Room that a card and everything in it takes. */
export interface CardSize {
  readonly width: number;
  readonly height: number;
}

/** Places for the members of a team, in order, relative to it; and the room the team takes. */
export interface TeamLayout {
  readonly size: CardSize;
  readonly places: readonly Place[];
}

/**
 * Two columns, each as wide as its widest member, rows as high as their highest, below what was put
 * somewhere by hand. SPEC: OR6.
 */
export function layOutTeam(members: readonly LaidOut[]): TeamLayout {
  const sizes = members.map((member) => layOutTeam(member.children).size);
  const sizeAt = (at: number) => sizes[at] ?? { width: ORG_CARD_WIDTH, height: ORG_CARD_HEIGHT };
  const free = members.flatMap(({ wanted }, at) => (wanted === null ? [at] : []));
  const bottoms = members.flatMap(({ wanted }, at) =>
    wanted === null ? [] : [wanted.y + sizeAt(at).height + GUTTER],
  );
  const widths = Array.from({ length: COLUMNS }, (_, column) =>
    Math.max(
      ORG_CARD_WIDTH,
      ...free.filter((_at, slot) => slot % COLUMNS === column).map((at) => sizeAt(at).width),
    ),
  );
  const places = members.map(({ wanted }) => wanted ?? { x: SIDE, y: HEADER });
  let top = Math.max(HEADER, ...bottoms);
  for (let slot = 0; slot < free.length; slot += COLUMNS) {
    const row = free.slice(slot, slot + COLUMNS);
    let left = SIDE;
    for (const [column, at] of row.entries()) {
      places[at] = { x: left, y: top };
      left += (widths[column] ?? ORG_CARD_WIDTH) + GUTTER;
    }
    top += Math.max(...row.map((at) => sizeAt(at).height)) + GUTTER;
  }
  return { size: around(places, sizeAt), places };
}

function around(places: readonly Place[], sizeAt: (at: number) => CardSize): CardSize {
  let width = ORG_CARD_WIDTH;
  let height = ORG_CARD_HEIGHT;
  for (const [at, place] of places.entries()) {
    width = Math.max(width, place.x + sizeAt(at).width + SIDE);
    height = Math.max(height, place.y + sizeAt(at).height + SIDE);
  }
  return { width, height };
}
