import type { WorkspaceStatus } from "@molecule/domain/sets";
import { expect, test } from "vitest";
import { historyAt, type Span, stripPieces, summarise } from "./status-strip.ts";

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** Spans one after the other from 0, as [status, length in ms]. */
function spansOf(...lengths: readonly (readonly [WorkspaceStatus | null, number])[]): Span[] {
  let toMs = 0;
  return lengths.map(([status, ms]) => {
    const fromMs = toMs;
    toMs += ms;
    return { status, fromMs, toMs };
  });
}
const iso = (ms: number) => new Date(ms).toISOString();

test("a day online with a restart is one sentence", () => {
  const spans = spansOf(["online", 12 * HOUR], ["provisioning", HOUR], ["online", 11 * HOUR]);
  expect(summarise(spans).text).toBe("Online 96 % of the last 24 hours; 1 restart");
});

test("what is not known counts for nothing", () => {
  const spans = spansOf([null, 22 * HOUR], ["provisioning", MINUTE], ["online", 2 * HOUR - MINUTE]);
  expect(summarise(spans).text).toBe("Online 99 % of the 2 h that are known; no restarts");
  expect(summarise(spansOf([null, 24 * HOUR])).online).toBeNull();
});

test("a pause that ends is no restart, and a failure is named with its length", () => {
  const spans = spansOf(
    ["paused", 12 * HOUR],
    ["provisioning", MINUTE],
    ["online", 11 * HOUR],
    ["failed", 59 * MINUTE],
  );
  const { restarts, text } = summarise(spans);
  expect(restarts).toBe(0);
  expect(text).toContain("failed for 59 min");
});

test("a minute of trouble never reads as a whole day online", () => {
  const spans = spansOf(["online", 24 * HOUR - MINUTE], ["failed", MINUTE]);
  expect(summarise(spans).online).toBe("over 99 %");
});

test("a restart of seconds is still a piece of the strip, and pieces fill it", () => {
  const spans = spansOf(
    ["online", 10 * HOUR],
    ["provisioning", 4_000],
    ["online", 14 * HOUR - 4_000],
  );
  const pieces = stripPieces(spans);
  expect(pieces.map((piece) => piece.status)).toEqual(["online", "provisioning", "online"]);
  expect(pieces[1]?.toMs).toBe(10 * HOUR + 4_000);
  expect(pieces.reduce((sum, piece) => sum + piece.share, 0)).toBeCloseTo(1);
});

test("a crash loop is one piece that knows its times, and not hundreds", () => {
  const loop = Array.from({ length: 400 }, (_, n) => [
    [n % 2 === 1 ? "failed" : "provisioning", (6 * HOUR) / 400] as const,
  ]).flat();
  const pieces = stripPieces(spansOf(["online", 18 * HOUR], ...loop));
  expect(pieces.map((piece) => piece.status)).toEqual(["online", "failed"]);
  expect(pieces[1]?.spans.length).toBeGreaterThan(180);
});

test("the end of the strip is how it is now, also a moment after a restart", () => {
  const spans = spansOf(
    ["online", 23 * HOUR],
    ["failed", HOUR - MINUTE],
    ["provisioning", 4_000],
    ["online", MINUTE - 4_000],
  );
  const last = stripPieces(spans).at(-1);
  expect(last?.status).toBe("online");
  expect(last?.spans).toEqual([spans[3]]);
});

test("the window moves on with the clock, and the last status lasts until now", () => {
  const history = {
    from: iso(0),
    to: iso(24 * HOUR),
    spans: [
      { status: "failed" as const, from: iso(0), to: iso(HOUR) },
      { status: "online" as const, from: iso(HOUR), to: iso(24 * HOUR) },
    ],
  };
  expect(historyAt(history, 25 * HOUR)).toEqual([
    { status: "online", fromMs: HOUR, toMs: 25 * HOUR },
  ]);
  expect(historyAt(history, 0)).toHaveLength(2);
});

test("the window of a younger agent grows from when it was created", () => {
  const history = {
    from: iso(0),
    to: iso(HOUR),
    spans: [{ status: "online" as const, from: iso(0), to: iso(HOUR) }],
  };
  const spans = historyAt(history, 2 * HOUR);
  expect(spans).toEqual([{ status: "online", fromMs: 0, toMs: 2 * HOUR }]);
  expect(summarise(spans).text).toBe("Online 100 % since it was created 2 h ago; no restarts");
});
